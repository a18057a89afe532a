# The operators for NVIDIA cards: from Turing to Hopper in machine code, for later ones in PTX, which
# the driver compiles. The CUDA runtime is linked in; what is needed of the system is the driver.
set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 90-virtual
  CACHE STRING "Cards that the CUDA kernels are compiled for")
option(TLSC_TEST_ON_CARD "Run the tests on the first NVIDIA card of the machine, too" OFF)
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
find_package(CUDAToolkit 12 REQUIRED)

add_library(tlsc_cuda STATIC
  cuda/channel_normalization.cu
  cuda/depthwise_conv.cu
  cuda/launch.cc
  cuda/local_average_pool.cu
  cuda/local_windows.cu
  cuda/normalizations.cu
  cuda/replicate_scale.cu
  cuda/slide_plan.cc)
target_link_libraries(tlsc_cuda
  PUBLIC tlsc_checks CUDA::cudart_static
  PRIVATE tlsc_options)
# As nvcc names them: sm_ machine code, compute_ PTX.
list(JOIN CMAKE_CUDA_ARCHITECTURES " " architectures)
string(REGEX REPLACE "([0-9]+[a-z]?)-real" "sm_\\1" architectures "${architectures}")
string(REGEX REPLACE "([0-9]+[a-z]?)-virtual" "compute_\\1" architectures "${architectures}")
set_source_files_properties(cuda/launch.cc PROPERTIES
  COMPILE_DEFINITIONS "TLSC_CUDA_ARCHITECTURES=\"${architectures}\"")
# constexpr functions of the host's are the card's, too.
target_compile_options(tlsc_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr --Werror=all-warnings>)

tlsc_add_operators(tlsc_ops_cuda tlsc_cuda)
target_sources(tlsc_ops_cuda PRIVATE ort/node_launch.cc)
target_compile_definitions(tlsc_ops_cuda PRIVATE TLSC_CUDA)
