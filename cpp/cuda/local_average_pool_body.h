#ifndef TLSC_CUDA_LOCAL_AVERAGE_POOL_BODY_H_
#define TLSC_CUDA_LOCAL_AVERAGE_POOL_BODY_H_

#include <cstddef>

#include "cuda/loads.h"
#include "cuda/sliding_sums.h"
#include "kernels/local_average_pool.h"

namespace tlsc::cuda {

template <typename T, typename Sum>
struct PoolArguments {
  static constexpr size_t kSums = 1;
  const T* x;
  SlidePlan plan;
  Sum weight;           // 1 / window.area()
  double exact_weight;  // the same
  T* y;
};

// All sizes of x are at least 1, and the window holds a sample.
template <typename Sum, typename T>
PoolArguments<T, Sum> MakePoolArguments(const T* x, const NchwShape& x_shape,
                                        const LocalAveragePoolParams& params,
                                        const DeviceLimits& device, T* y) {
  const Window window = MakeWindow(x_shape, params.kernel_shape, params.padding, params.max_stride);
  const SlidePlan plan =
      MakeSlidePlan(window, x_shape.batch * x_shape.channels, sizeof(Sum), device);
  const double weight = 1.0 / static_cast<double>(window.area());
  return {x, plan, MakeSum<Sum>(weight), weight, y};
}

template <typename T, typename Sum>
TLSC_HOST_DEVICE Channels<T> PlaneOf(const PoolArguments<T, Sum>& of, size_t plane) {
  const size_t plane_size = of.plan.window.vertical.length * of.plan.window.horizontal.length;
  return {of.x + plane * plane_size, 1, plane_size};
}

// What one thread does ahead.
template <typename T, typename Sum>
TLSC_HOST_DEVICE void SumAhead(const PoolArguments<T, Sum>& of, size_t index, Sum* segments) {
  const Channels<T> from = PlaneOf(of, of.plan.PlaneOfSegment(index));
  SumSegment(of.plan, from, index, Deviations<Sum, 1>{PivotOf(from)}, segments);
}

// Adds `infinity`, of either sign, to the outputs whose window holds it or a NaN.
template <typename Block, typename T>
TLSC_HOST_DEVICE void SpoilMeans(const Block& block, const SlidePlan& plan, const SlideTask& task,
                                 const Channels<T>& from, void* memory, float infinity, T* y) {
  const size_t width = plan.window.horizontal.outputs;
  SlideOver<double>(block, plan, task, from, nullptr, memory, Occurrences{infinity},
                    [&](size_t row_begin, size_t row_end, size_t column, const double(&sums)[1]) {
                      if (sums[0] == 0.0) return;
                      for (size_t row = row_begin; row < row_end; ++row) {
                        T& output = y[row * width + column];
                        output = Narrow<T>(Widen(output) + infinity);
                      }
                    });
}

// Returns whether all sums and means were finite; if not, the outputs are not to be trusted.
template <typename Sum, typename Block, typename T, typename Load>
TLSC_HOST_DEVICE bool WriteMeans(const Block& block, const SlidePlan& plan, const SlideTask& task,
                                 const Channels<T>& from, const Sum* segments, void* memory,
                                 const Load& load, Sum weight, T* y) {
  const size_t width = plan.window.horizontal.outputs;
  const Sum pivot = ExactDifference<Sum>(load.pivot, 0.0f);
  bool room = true;  // what this thread has come upon: a pair near the end of its range may lose it
  const bool finite =
      SlideOver<Sum>(block, plan, task, from, segments, memory, load,
                     [&](size_t row_begin, size_t row_end, size_t column, const Sum(&sums)[1]) {
                       const float mean = Rounded(sums[0] * weight + pivot);
                       room = room && IsFinite(mean);
                       for (size_t row = row_begin; row < row_end; ++row)
                         y[row * width + column] = Narrow<T>(mean);
                     });
  return finite && !block.Any([&](size_t) { return !room; });
}

// What one block does of LocalAveragePool.
template <typename Block, typename T, typename Sum>
TLSC_HOST_DEVICE void RunBlock(const Block& block, const PoolArguments<T, Sum>& of,
                               const Sum* segments, void* memory) {
  const SlidePlan& plan = of.plan;
  const SlideTask task = plan.TaskOf(block.index());
  const Channels<T> from = PlaneOf(of, task.plane);
  T* y = of.y + task.plane * plan.window.vertical.outputs * plan.window.horizontal.outputs;
  const float pivot = PivotOf(from);
  if (WriteMeans<Sum>(block, plan, task, from, segments, memory, Deviations<Sum, 1>{pivot},
                      of.weight, y)) {
    return;
  }
  // Something was not finite, or too large for the sums of the card.
  WriteMeans<double>(block, plan, task, from, nullptr, memory, FiniteDeviations<1>{pivot},
                     of.exact_weight, y);
  SpoilMeans(block, plan, task, from, memory, kInfinity, y);
  SpoilMeans(block, plan, task, from, memory, -kInfinity, y);
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_LOCAL_AVERAGE_POOL_BODY_H_
