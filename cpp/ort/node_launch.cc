#include "ort/node_launch.h"

#include <memory>

#include "ort/errors.h"

namespace tlsc::ort {
namespace {

int CurrentDevice() {
  int index = 0;
  ThrowIfError(cuda::ToStatus(cudaGetDevice(&index)));
  return index;
}

cuda::Device DeviceOf(int index) {
  cuda::Device device = {};
  ThrowIfError(cuda::QueryDevice(index, device));
  return device;
}

cudaStream_t StreamOf(const KernelContext& context) {
  void* stream = nullptr;
  const OrtApi& api = context.api();
  ThrowIfError(api, api.KernelContext_GetGPUComputeStream(&context.context(), &stream));
  return static_cast<cudaStream_t>(stream);
}

}  // namespace

NodeLaunch::NodeLaunch(const KernelContext& context) : NodeLaunch(context, CurrentDevice()) {}

NodeLaunch::NodeLaunch(const KernelContext& context, int index)
    : Launch(device_, StreamOf(context)),
      context_(context),
      index_(index),
      device_(DeviceOf(index)) {}

Status NodeLaunch::Allocate(size_t bytes, void*& memory) {
  const OrtApi& api = context_.api();
  OrtMemoryInfo* raw_info = nullptr;
  if (Status status = TakeStatus(api, api.CreateMemoryInfo("Cuda", OrtDeviceAllocator, index_,
                                                           OrtMemTypeDefault, &raw_info));
      !status.ok()) {
    return status;
  }
  const std::unique_ptr<OrtMemoryInfo, decltype(api.ReleaseMemoryInfo)> info(raw_info,
                                                                             api.ReleaseMemoryInfo);
  return TakeStatus(
      api, api.KernelContext_GetScratchBuffer(&context_.context(), info.get(), bytes, &memory));
}

}  // namespace tlsc::ort
