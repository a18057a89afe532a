# Toolchain for the published Linux binaries: an old C library to link with, the C++ library inside, nothing exported that need not be,
# and what hardens. TLSC_COMPILERS names the folder of gcc and g++ with the C library of the oldest system that is to run them,
# TLSC_PROCESSOR what they are for.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${TLSC_PROCESSOR})
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TLSC_COMPILERS TLSC_PROCESSOR)
# Nothing of the machine that builds: its headers are of another C library, its libraries are not what users have.
set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF)
set(CMAKE_C_COMPILER ${TLSC_COMPILERS}/gcc)
set(CMAKE_CXX_COMPILER ${TLSC_COMPILERS}/g++)

# Of the build type, for cmake-js sets the flags of all types.
set(CMAKE_CXX_FLAGS_RELEASE_INIT
  "-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection")
set(CMAKE_SHARED_LINKER_FLAGS_INIT
  "-static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed")
