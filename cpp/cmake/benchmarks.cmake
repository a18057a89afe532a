# The benchmarks: one executable per *_bench.cc, beside the code that it times.

find_package(benchmark QUIET)
if(NOT TARGET benchmark::benchmark)
  find_path(GOOGLE_BENCHMARK_SOURCE_DIR src/benchmark.cc PATH_SUFFIXES src/benchmark
    DOC "Source tree of Google Benchmark")
  if(NOT GOOGLE_BENCHMARK_SOURCE_DIR)
    message(FATAL_ERROR
      "Google Benchmark was not found. Install it (Debian: libbenchmark-dev; Homebrew: "
      "google-benchmark; vcpkg, conda-forge: benchmark), set GOOGLE_BENCHMARK_SOURCE_DIR to its "
      "source tree, or turn TLSC_BUILD_BENCHMARKS off.")
  endif()
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # lets these lines count as its options
  set(BENCHMARK_ENABLE_TESTING OFF)
  set(BENCHMARK_ENABLE_INSTALL OFF)
  set(BENCHMARK_ENABLE_WERROR OFF)
  add_subdirectory(${GOOGLE_BENCHMARK_SOURCE_DIR} ${PROJECT_BINARY_DIR}/benchmark EXCLUDE_FROM_ALL)
endif()

foreach(source kernels/channel_normalization_bench kernels/copy_image_bench kernels/depthwise_conv_bench
        kernels/local_average_pool_bench kernels/local_group_normalization_bench
        kernels/local_instance_normalization_bench kernels/local_instance_normalization_leaky_relu_bench
        kernels/local_transposed_attention_bench
        kernels/local_windows_bench kernels/pointwise_conv_bench kernels/replicate_scale_bench)
  get_filename_component(name ${source} NAME)
  add_executable(${name} ${source}.cc)
  target_link_libraries(${name} PRIVATE tlsc_options tlsc_kernels benchmark::benchmark)
endforeach()
