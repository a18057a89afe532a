# The fuzz targets: tlsc_add_fuzz(<name> <source of the same input> <libraries>…) makes <name>_fuzz with
# libFuzzer (preset fuzz, clang), or <name>_replay, which runs the corpus in every test run, for any compiler.

set(TLSC_CORPUS ${PROJECT_SOURCE_DIR}/fuzz/corpus)

if(NOT TLSC_BUILD_FUZZERS)
  add_library(tlsc_replay OBJECT fuzz/replay.cc)
  target_link_libraries(tlsc_replay PRIVATE tlsc_options)
endif()

function(tlsc_add_fuzz name target)
  if(TLSC_BUILD_FUZZERS)
    add_executable(${name}_fuzz fuzz/${target}_fuzz.cc)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name}_fuzz PRIVATE tlsc_options ${ARGN})
  else()
    # Compiled once for each source, whatever it is linked with.
    if(name STREQUAL target)
      add_executable(${name}_replay fuzz/${target}_fuzz.cc $<TARGET_OBJECTS:tlsc_replay>)
      target_link_libraries(${name}_replay PRIVATE tlsc_options ${ARGN})
    else()
      add_executable(${name}_replay $<TARGET_OBJECTS:${target}_replay> $<TARGET_OBJECTS:tlsc_replay>)
      target_link_libraries(${name}_replay PRIVATE ${ARGN})
    endif()
    add_test(NAME Corpus.${name} COMMAND ${name}_replay ${TLSC_CORPUS}/${target})
  endif()
endfunction()

find_package(Threads REQUIRED)
# On the kernels, on every instruction set, and on the bodies of the CUDA kernels, run by the host.
foreach(name channel_normalization depthwise_conv local_average_pool local_group_normalization local_instance_normalization
        local_window_merge local_window_partition replicate_scale)
  tlsc_add_fuzz(${name} ${name} tlsc_kernels Threads::Threads)
  tlsc_add_fuzz(${name}_cuda_emulation ${name} tlsc_cuda_emulation Threads::Threads)
  if(NOT TLSC_BUILD_FUZZERS)
    tlsc_add_target_tests(${name}_replay ${TLSC_CORPUS}/${name})
  endif()
endforeach()

# Of these cards run nothing.
foreach(name copy_image local_instance_normalization_leaky_relu local_transposed_attention pointwise_conv)
  tlsc_add_fuzz(${name} ${name} tlsc_kernels)
  if(NOT TLSC_BUILD_FUZZERS)
    tlsc_add_target_tests(${name}_replay ${TLSC_CORPUS}/${name})
  endif()
endforeach()

tlsc_add_fuzz(operators operators tlsc_ops Threads::Threads)
foreach(target operators_fuzz operators_replay)
  if(TARGET ${target})
    target_sources(${target} PRIVATE fuzz/pretended_runtime.cc)
    target_include_directories(${target} SYSTEM PRIVATE ${ONNXRUNTIME_INCLUDE_DIR})
  endif()
endforeach()

tlsc_add_fuzz(gate gate tlsc_gate)
