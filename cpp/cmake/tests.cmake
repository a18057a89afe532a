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

function(tlsc_add_test_executable name source)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE tlsc_options GTest::gtest_main ${ARGN})
endfunction()

# tlsc_add_test(<source without .cc> <libraries>…): whole, as there are thousands of cases, and a process takes longer to
# begin than most of them.
function(tlsc_add_test source)
  get_filename_component(name ${source} NAME)
  tlsc_add_test_executable(${name} ${source}.cc ${ARGN})
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# An executable, with these arguments, on each instruction set; skipped where the processor lacks it.
function(tlsc_add_target_tests name)
  foreach(target SSE2 SSE4 AVX2 AVX3 NEON NEON_WITHOUT_AES)
    add_test(NAME ${name}.${target} COMMAND ${name} ${ARGN})
    set_tests_properties(${name}.${target} PROPERTIES
      ENVIRONMENT TLSC_TARGET=${target} SKIP_REGULAR_EXPRESSION "TLSC_TARGET: expected one")
  endforeach()
endfunction()

tlsc_add_test(kernels/fill_hidden_test tlsc_kernels)
foreach(name channel_normalization copy_image depthwise_conv local_average_pool local_group_normalization
        local_instance_normalization local_instance_normalization_leaky_relu local_transposed_attention local_windows
        pointwise_conv replicate_scale)
  tlsc_add_test_executable(${name}_test kernels/${name}_test.cc tlsc_kernels)
  tlsc_add_target_tests(${name}_test)
endforeach()

# The same tests, compiled once, linked with the bodies of the CUDA kernels. Once with the sums of most cards, then with those of others on a large card, and where
# nothing fits what the threads of a block share.
foreach(name channel_normalization depthwise_conv local_average_pool local_group_normalization
        local_instance_normalization local_windows replicate_scale)
  set(test ${name}_cuda_emulation_test)
  add_executable(${test} $<TARGET_OBJECTS:${name}_test>)
  target_link_libraries(${test} PRIVATE GTest::gtest_main tlsc_cuda_emulation)
  add_test(NAME ${test} COMMAND ${test})
endforeach()
foreach(name local_average_pool local_group_normalization local_instance_normalization)
  set(test ${name}_cuda_emulation_test)
  add_test(NAME ${test}.large_card COMMAND ${test} --gtest_filter=*Sizes*:*Fast*)
  add_test(NAME ${test}.nothing_shared COMMAND ${test} --gtest_filter=*Sizes*:*Fast*)
  set_tests_properties(${test}.large_card PROPERTIES ENVIRONMENT
    "TLSC_EMULATED_SUMS=float64;TLSC_EMULATED_MULTIPROCESSORS=132;TLSC_EMULATED_SHARED_BYTES=232448")
  set_tests_properties(${test}.nothing_shared PROPERTIES ENVIRONMENT TLSC_EMULATED_SHARED_BYTES=1)
endforeach()
tlsc_add_test(cuda/float_pair_test)
tlsc_add_test(cuda/slide_plan_test tlsc_cuda_emulation)
if(TLSC_BUILD_CUDA)
  tlsc_add_test(cuda/launch_test tlsc_cuda)
  # The same tests once more, on a card; run where there is one.
  add_library(tlsc_cuda_card STATIC
    cuda/card/card.cc
    cuda/card/channel_normalization.cc
    cuda/card/depthwise_conv.cc
    cuda/card/local_average_pool.cc
    cuda/card/local_windows.cc
    cuda/card/normalizations.cc
    cuda/card/replicate_scale.cc)
  target_compile_definitions(tlsc_cuda_card INTERFACE TLSC_ON_CARD)
  target_link_libraries(tlsc_cuda_card PUBLIC tlsc_cuda PRIVATE tlsc_options)
  foreach(name channel_normalization depthwise_conv local_average_pool local_group_normalization
          local_instance_normalization local_windows replicate_scale)
    add_executable(${name}_cuda_test kernels/${name}_test.cc)
    target_link_libraries(${name}_cuda_test PRIVATE tlsc_options GTest::gtest_main tlsc_cuda_card)
    if(TLSC_TEST_ON_CARD)
      # Whole: a process takes longer to open the card than a test to run.
      add_test(NAME Card.${name} COMMAND ${name}_cuda_test --gtest_brief=1)
    endif()
  endforeach()
  # For scripts/card.py.
  add_executable(card_bench cuda/card/card_bench.cc)
  target_link_libraries(card_bench PRIVATE tlsc_options tlsc_cuda_card)
  if(UNIX)
    add_executable(network_check ort/network_check.cc)
    target_include_directories(network_check SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
    target_link_libraries(network_check PRIVATE tlsc_options ${CMAKE_DL_LIBS})
  endif()
  # Without a card: it loads, and registers for the provider.
  add_executable(register_cuda_test ort/register_test.cc)
  target_compile_definitions(register_cuda_test PRIVATE TLSC_PROVIDER="CUDAExecutionProvider")
  target_include_directories(register_cuda_test SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
  target_link_libraries(register_cuda_test PRIVATE tlsc_options GTest::gtest_main tlsc_ops_cuda)
  add_test(NAME register_cuda_test COMMAND register_cuda_test)
endif()

tlsc_add_test(gate/facts_test tlsc_gate)
foreach(name gate external_data operators)
  tlsc_add_test(gate/${name}_test tlsc_gate)
  target_include_directories(${name}_test SYSTEM PRIVATE ${PROTOZERO_INCLUDE_DIR})
endforeach()

tlsc_add_test(ort/register_test tlsc_ops)
target_include_directories(register_test SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
if(UNIX)
  tlsc_add_test(ort/session_test tlsc_ops tlsc_kernels ${CMAKE_DL_LIBS})
  target_sources(session_test PRIVATE ort/errors.cc)  # not among what tlsc_ops exports
  target_include_directories(session_test SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
endif()

# Of the addon, what knows nothing of JavaScript.
set(addon ${PROJECT_SOURCE_DIR}/../packages/core-native/src)
function(tlsc_add_addon_test name)
  add_executable(${name} ${addon}/${name}.cc)
  foreach(source ${ARGN})
    target_sources(${name} PRIVATE ${addon}/${source}.cc)
  endforeach()
  target_link_libraries(${name} PRIVATE tlsc_options GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
tlsc_add_addon_test(executor_test executor)
tlsc_add_addon_test(division_guard_test division_guard)
tlsc_add_addon_test(run_memory_test run_memory memory errors)
target_include_directories(run_memory_test SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
