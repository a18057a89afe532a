#ifndef TLSC_CUDA_LAUNCH_H_
#define TLSC_CUDA_LAUNCH_H_

#include <cuda_runtime_api.h>

#include <cstddef>

#include "base/status.h"
#include "cuda/slide_plan.h"

// What a launch needs beside the tensors.
namespace tlsc::cuda {

struct Device {
  DeviceLimits limits;
  bool float64;  // whether it has more than a few units for it
};

// The cards that the kernels are compiled for, as nvcc names them.
const char* TargetName();

// kInternal, in CUDA's words, where there is no such card, or no driver.
Status QueryDevice(int index, Device& device);

// The outcome of a call of CUDA's.
Status ToStatus(cudaError_t error);

// One call of a kernel: the card, which is the current one, the stream that it is enqueued on, and
// memory of the card until the stream is past it.
class Launch {
 public:
  Launch(const Device& device, cudaStream_t stream) : device_(device), stream_(stream) {}
  virtual ~Launch() = default;

  const Device& device() const { return device_; }
  cudaStream_t stream() const { return stream_; }

  virtual Status Allocate(size_t bytes, void*& memory) = 0;

 private:
  const Device& device_;
  cudaStream_t stream_;
};

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_LAUNCH_H_
