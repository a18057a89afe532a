#ifndef TLSC_CUDA_ELEMENT_LAUNCH_CUH_
#define TLSC_CUDA_ELEMENT_LAUNCH_CUH_

#include <algorithm>
#include <cstddef>

#include "cuda/launch.h"
#include "cuda/slide_plan.h"

// Launches of the kernels that go element by element: Arguments are those of a body with
// RunElement.
namespace tlsc::cuda {

template <typename Arguments>
__global__ void ElementKernel(Arguments of, size_t elements) {
  const size_t step = size_t{gridDim.x} * blockDim.x;
  for (size_t element = size_t{blockIdx.x} * blockDim.x + threadIdx.x; element < elements;
       element += step) {
    RunElement(of, element);
  }
}

template <typename Arguments>
Status LaunchElements(const Arguments& of, size_t elements, Launch& launch) {
  constexpr size_t kMostBlocks = size_t{1} << 30;
  const size_t blocks = std::min((elements + kThreads - 1) / kThreads, kMostBlocks);
  ElementKernel<<<static_cast<unsigned>(blocks), kThreads, 0, launch.stream()>>>(of, elements);
  return ToStatus(cudaGetLastError());
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_ELEMENT_LAUNCH_CUH_
