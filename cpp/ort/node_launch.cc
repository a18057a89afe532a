#include "ort/node_launch.h"

#include <map>
#include <memory>
#include <mutex>

#include "ort/errors.h"

namespace tlsc::ort {
namespace {

int CurrentDevice() {
  int index = 0;
  ThrowIfError(cuda::ToStatus(cudaGetDevice(&index)));
  return index;
}

// What a card is like does not change: it is asked once, not at every node.
const cuda::Device& DeviceOf(int index) {
  static std::mutex& mutex = *new std::mutex;
  static auto& devices = *new std::map<int, cuda::Device>;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto known = devices.find(index);
  if (known != devices.end()) return known->second;
  cuda::Device device = {};
  ThrowIfError(cuda::QueryDevice(index, device));
  return devices.emplace(index, device).first->second;
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
    : Launch(DeviceOf(index), StreamOf(context)), context_(context), index_(index) {}

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
