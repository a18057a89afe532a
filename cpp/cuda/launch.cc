#include "cuda/launch.h"

#include <string>

namespace tlsc::cuda {

const char* TargetName() { return TLSC_CUDA_ARCHITECTURES; }

Status ToStatus(cudaError_t error) {
  if (error == cudaSuccess) return {};
  const StatusCode code =
      error == cudaErrorMemoryAllocation ? StatusCode::kOutOfMemory : StatusCode::kInternal;
  return {code, std::string("CUDA: ") + cudaGetErrorString(error)};
}

Status QueryDevice(int index, Device& device) {
  const auto ask = [&](cudaDeviceAttr attribute, int& value) {
    return ToStatus(cudaDeviceGetAttribute(&value, attribute, index));
  };
  int multiprocessors = 0;
  int shared_bytes = 0;
  int float32_per_float64 = 0;
  if (Status status = ask(cudaDevAttrMultiProcessorCount, multiprocessors); !status.ok()) {
    return status;
  }
  if (Status status = ask(cudaDevAttrMaxSharedMemoryPerBlockOptin, shared_bytes); !status.ok()) {
    return status;
  }
  if (Status status = ask(cudaDevAttrSingleToDoublePrecisionPerfRatio, float32_per_float64);
      !status.ok()) {
    return status;
  }
  device.limits = {static_cast<size_t>(multiprocessors), static_cast<size_t>(shared_bytes)};
  device.float64 = float32_per_float64 <= 4;
  return {};
}

}  // namespace tlsc::cuda
