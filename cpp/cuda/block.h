#ifndef TLSC_CUDA_BLOCK_H_
#define TLSC_CUDA_BLOCK_H_

#include <cstddef>

#include "cuda/host_device.h"

// A block of threads that take step after step together. Bodies of kernels are written in steps, so
// that the host can run them, too: every thread of a step after the other, and step after step.
// A step must not rely on what other threads do in the same one.
namespace tlsc::cuda {

#ifdef __CUDACC__
class DeviceBlock {
 public:
  __device__ size_t index() const { return blockIdx.x; }
  __device__ size_t threads() const { return blockDim.x; }

  template <typename Step>
  __device__ void Run(Step step) const {
    step(static_cast<size_t>(threadIdx.x));
    __syncthreads();
  }

  // Whether the answer of any thread is yes.
  template <typename Question>
  __device__ bool Any(Question question) const {
    return __syncthreads_or(question(static_cast<size_t>(threadIdx.x))) != 0;
  }
};
#endif

class HostBlock {
 public:
  HostBlock(size_t index, size_t threads) : index_(index), threads_(threads) {}

  size_t index() const { return index_; }
  size_t threads() const { return threads_; }

  template <typename Step>
  void Run(Step step) const {
    for (size_t thread = 0; thread < threads_; ++thread) step(thread);
  }

  template <typename Question>
  bool Any(Question question) const {
    bool any = false;
    for (size_t thread = 0; thread < threads_; ++thread) any |= question(thread);
    return any;
  }

 private:
  size_t index_;
  size_t threads_;
};

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_BLOCK_H_
