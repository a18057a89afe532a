#ifndef TLSC_CUDA_SLIDE_LAUNCH_CUH_
#define TLSC_CUDA_SLIDE_LAUNCH_CUH_

#include "cuda/block.h"
#include "cuda/launch.h"
#include "cuda/slide_plan.h"

// Launches of the sliding kernels. Arguments are those of a body: with a plan, kSums, SumAhead and
// RunBlock.
namespace tlsc::cuda {

template <typename Arguments, typename Sum>
__global__ void SumAheadKernel(Arguments of, Sum* segments) {
  const size_t index = size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (index < of.plan.segment_sums()) SumAhead(of, index, segments);
}

// `scratch` is for plans that do not fit what threads share.
template <typename Arguments, typename Sum>
__global__ void __launch_bounds__(kThreads)
    SlideKernel(Arguments of, const Sum* segments, char* scratch) {
  extern __shared__ double shared[];
  void* memory = shared;
  if (!of.plan.in_shared) {
    memory = scratch + blockIdx.x * of.plan.shared_bytes(Arguments::kSums * sizeof(Sum));
  }
  RunBlock(DeviceBlock(), of, segments, memory);
}

template <typename Sum, typename Arguments>
Status LaunchSlide(const Arguments& of, Launch& launch) {
  const SlidePlan& plan = of.plan;
  const size_t segment_bytes = plan.segment_sums() * Arguments::kSums * sizeof(Sum);
  const size_t block_bytes = plan.shared_bytes(Arguments::kSums * sizeof(Sum));
  const size_t scratch_bytes = plan.in_shared ? 0 : block_bytes * plan.blocks();
  void* memory = nullptr;
  if (Status status = launch.Allocate(segment_bytes + scratch_bytes, memory); !status.ok()) {
    return status;
  }
  Sum* segments = static_cast<Sum*>(memory);
  char* scratch = static_cast<char*>(memory) + segment_bytes;

  const size_t ahead = (plan.segment_sums() + kThreads - 1) / kThreads;
  SumAheadKernel<<<static_cast<unsigned>(ahead), kThreads, 0, launch.stream()>>>(of, segments);
  if (Status status = ToStatus(cudaGetLastError()); !status.ok()) return status;

  const auto kernel = SlideKernel<Arguments, Sum>;
  const size_t shared_bytes = plan.in_shared ? block_bytes : 0;
  if (Status status = ToStatus(cudaFuncSetAttribute(
          kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)));
      !status.ok()) {
    return status;
  }
  kernel<<<static_cast<unsigned>(plan.blocks()), kThreads, shared_bytes, launch.stream()>>>(
      of, segments, scratch);
  return ToStatus(cudaGetLastError());
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_SLIDE_LAUNCH_CUH_
