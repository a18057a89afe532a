#ifndef TLSC_CUDA_EMULATION_EMULATION_H_
#define TLSC_CUDA_EMULATION_EMULATION_H_

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <vector>

#include "base/parallel.h"
#include "cuda/block.h"
#include "cuda/slide_plan.h"

// The CUDA kernels run by the host, behind the functions of kernels/: their tests, linked with
// these, are tests of the bodies that the card runs and of how these share the work out.
namespace tlsc::cuda {

// A small card, or what the environment says: TLSC_EMULATED_MULTIPROCESSORS,
// TLSC_EMULATED_SHARED_BYTES.
DeviceLimits EmulatedDevice();

// Whether the card has units for float64, as most have not: TLSC_EMULATED_SUMS is "float64".
bool EmulatesFloat64();

// Runs all that is summed ahead, then block after block, in any order.
template <typename Sum, typename Arguments>
Status EmulateSlide(const Arguments& of, ParallelLoop& loop) {
  std::vector<Sum> segments;
  try {
    segments.resize(of.plan.segment_sums() * Arguments::kSums);
  } catch (const std::exception&) {
    return {StatusCode::kOutOfMemory, "not enough memory for the sums of segments"};
  }
  for (size_t index = 0; index < of.plan.segment_sums(); ++index) {
    SumAhead(of, index, segments.data());
  }
  const auto run_task = [&](size_t index) {
    std::vector<Sum> memory(of.plan.shared_bytes(Arguments::kSums));
    RunBlock(HostBlock(index, kThreads), of, static_cast<const Sum*>(segments.data()),
             memory.data());
  };
  return loop.Run(of.plan.blocks(), std::cref(run_task));
}

// Runs element after element.
template <typename Arguments>
Status EmulateElements(const Arguments& of, size_t elements, ParallelLoop& loop) {
  const size_t blocks = (elements + kThreads - 1) / kThreads;
  const size_t tasks = std::min<size_t>(blocks, 64);
  const auto run_task = [&](size_t task) {
    for (size_t block = task; block < blocks; block += tasks) {
      HostBlock(block, kThreads).Run([&](size_t thread) {
        const size_t element = block * kThreads + thread;
        if (element < elements) RunElement(of, element);
      });
    }
  };
  return loop.Run(tasks, std::cref(run_task));
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_EMULATION_EMULATION_H_
