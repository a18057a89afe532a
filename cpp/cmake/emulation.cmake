# The bodies of the CUDA kernels, run by the host, in the place of the kernels.
add_library(tlsc_cuda_emulation STATIC
  cuda/emulation/channel_normalization.cc
  cuda/emulation/depthwise_conv.cc
  cuda/emulation/emulation.cc
  cuda/emulation/local_average_pool.cc
  cuda/emulation/local_windows.cc
  cuda/emulation/normalize_groups.cc
  cuda/emulation/replicate_scale.cc
  cuda/slide_plan.cc
  kernels/local_group_normalization.cc
  kernels/local_instance_normalization.cc)
target_link_libraries(tlsc_cuda_emulation PUBLIC tlsc_checks PRIVATE tlsc_options)
