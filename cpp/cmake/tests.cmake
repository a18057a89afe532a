# The tests: one executable per *_test.cc, beside the code that it tests.

find_package(GTest QUIET)
if(NOT TARGET GTest::gtest_main)
  find_path(GOOGLETEST_SOURCE_DIR googletest/src/gtest-all.cc PATH_SUFFIXES src/googletest
    DOC "Source tree of GoogleTest")
  if(NOT GOOGLETEST_SOURCE_DIR)
    message(FATAL_ERROR
      "GoogleTest was not found. Install it (Debian: libgtest-dev or googletest; Homebrew, vcpkg, "
      "conda-forge: googletest / gtest), set GOOGLETEST_SOURCE_DIR to its source tree, or turn "
      "TLSC_BUILD_TESTS off.")
  endif()
  set(BUILD_GMOCK OFF)
  set(INSTALL_GTEST OFF)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # lets the two lines above count as their options
  add_subdirectory(${GOOGLETEST_SOURCE_DIR} ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
endif()

enable_testing()
include(GoogleTest)

# tlsc_add_test(<source without .cc> <libraries>…)
function(tlsc_add_test source)
  get_filename_component(name ${source} NAME)
  add_executable(${name} ${source}.cc)
  target_link_libraries(${name} PRIVATE tlsc_options GTest::gtest_main ${ARGN})
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES)
endfunction()

# The whole executable once more on each instruction set; skipped where the processor lacks it.
function(tlsc_add_target_tests name)
  foreach(target SSE2 SSE4 AVX2 AVX3 NEON NEON_WITHOUT_AES)
    add_test(NAME ${name}.${target} COMMAND ${name})
    set_tests_properties(${name}.${target} PROPERTIES
      ENVIRONMENT TLSC_TARGET=${target} SKIP_REGULAR_EXPRESSION "TLSC_TARGET: expected one")
  endforeach()
endfunction()

tlsc_add_test(kernels/local_average_pool_test tlsc_kernels)
tlsc_add_test(kernels/local_group_normalization_test tlsc_kernels)
tlsc_add_test(kernels/local_instance_normalization_test tlsc_kernels)
tlsc_add_test(kernels/local_windows_test tlsc_kernels)
tlsc_add_test(kernels/replicate_scale_test tlsc_kernels)
tlsc_add_target_tests(local_average_pool_test)
tlsc_add_target_tests(local_group_normalization_test)
tlsc_add_target_tests(local_instance_normalization_test)
tlsc_add_target_tests(local_windows_test)
tlsc_add_target_tests(replicate_scale_test)
tlsc_add_test(ort/register_test tlsc_ops)
target_include_directories(register_test SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
if(UNIX)
  tlsc_add_test(ort/session_test tlsc_ops tlsc_kernels ${CMAKE_DL_LIBS})
  target_sources(session_test PRIVATE ort/errors.cc)  # not among what tlsc_ops exports
  target_include_directories(session_test SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
endif()
