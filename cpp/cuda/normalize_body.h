#ifndef TLSC_CUDA_NORMALIZE_BODY_H_
#define TLSC_CUDA_NORMALIZE_BODY_H_

#include <cmath>
#include <cstddef>
#include <type_traits>

#include "cuda/loads.h"
#include "cuda/sliding_sums.h"

namespace tlsc::cuda {

// Of LocalInstanceNormalization, whose groups are of one channel, and LocalGroupNormalization.
template <typename T, typename Sum>
struct NormalizeArguments {
  static constexpr size_t kSums = 2;
  const T* x;
  const T* scale;
  const T* bias;
  SlidePlan plan;   // its planes are groups
  size_t groups;    // of each image
  size_t channels;  // of each group
  float epsilon;
  Sum weight;           // 1 / (window.area() * channels)
  double exact_weight;  // the same
  T* y;
};

// All sizes of x are at least 1, the window holds a sample, and `channels` divides those of x.
template <typename Sum, typename T>
NormalizeArguments<T, Sum> MakeNormalizeArguments(const T* x, const NchwShape& x_shape,
                                                  size_t channels, const T* scale, const T* bias,
                                                  const Window& window, float epsilon,
                                                  const DeviceLimits& device, T* y) {
  const size_t groups = x_shape.channels / channels;
  const SlidePlan plan = MakeSlidePlan(window, x_shape.batch * groups,
                                       NormalizeArguments<T, Sum>::kSums * sizeof(Sum), device);
  const double weight = 1.0 / static_cast<double>(window.area() * channels);
  return {x, scale, bias, plan, groups, channels, epsilon, MakeSum<Sum>(weight), weight, y};
}

template <typename T, typename Sum>
TLSC_HOST_DEVICE Channels<T> GroupOf(const NormalizeArguments<T, Sum>& of, size_t group) {
  const size_t plane_size = of.plan.window.vertical.length * of.plan.window.horizontal.length;
  return {of.x + group * of.channels * plane_size, of.channels, plane_size};
}

// What one thread does ahead.
template <typename T, typename Sum>
TLSC_HOST_DEVICE void SumAhead(const NormalizeArguments<T, Sum>& of, size_t index, Sum* segments) {
  const Channels<T> from = GroupOf(of, of.plan.PlaneOfSegment(index));
  SumSegment(of.plan, from, index, Deviations<Sum, 2>{PivotOf(from)}, segments);
}

// Sums are Sum, what follows from them is Number: float, or double with sums that are, too. Returns
// whether all sums were finite and Number had room for what became of them; if not, the outputs are
// not to be trusted.
template <typename Number, typename Sum, typename Block, typename T, typename Of, typename Load>
TLSC_HOST_DEVICE bool WriteNormalized(const Block& block, const SlideTask& task,
                                      const NormalizeArguments<T, Of>& of, const Channels<T>& from,
                                      const Sum* segments, void* memory, const Load& load,
                                      Sum weight) {
  // Between these squares fit pairs of floats with all their digits, and what is divided by a
  // deviation fits a float.
  constexpr Number kLeastSpread = 0x1p-80f;
  constexpr Number kMostSpread = 0x1p80f;
  const auto number = [](Sum sum) {
    if constexpr (std::is_same_v<Number, Sum>)
      return sum;
    else
      return Rounded(sum);
  };
  bool room = true;  // what this thread has come upon
  const size_t width = of.plan.window.horizontal.outputs;
  const size_t channel = task.plane % of.groups * of.channels;
  T* y = of.y + (from.x - of.x);
  const bool finite = SlideOver<Sum>(
      block, of.plan, task, from, segments, memory, load,
      [&](size_t row_begin, size_t row_end, size_t column, const Sum(&sums)[2]) {
        const Sum mean = sums[0] * weight;
        const Number variance = std::fmax(number(sums[1] * weight - mean * mean), Number{0});
        const Number spread = variance + of.epsilon;
        room = room && spread >= kLeastSpread && spread <= kMostSpread;
        const Number factor = 1 / std::sqrt(spread);
        for (size_t i = 0; i < from.count; ++i) {
          const Number scale = Widen(of.scale[channel + i]);
          const Number bias = Widen(of.bias[channel + i]);
          for (size_t row = row_begin; row < row_end; ++row) {
            const size_t at = i * from.plane_size + row * width + column;
            const Sum difference = ExactDifference<Sum>(Widen(from.x[at]), load.pivot) - mean;
            // The scale comes last: times the factor, it may be too small for a float.
            const auto output = static_cast<float>(number(difference) * factor * scale + bias);
            room = room && IsFinite(output);
            y[at] = Narrow<T>(output);
          }
        }
      });
  return finite && !block.Any([&](size_t) { return !room; });
}

// What one block does.
template <typename Block, typename T, typename Sum>
TLSC_HOST_DEVICE void RunBlock(const Block& block, const NormalizeArguments<T, Sum>& of,
                               const Sum* segments, void* memory) {
  const SlideTask task = of.plan.TaskOf(block.index());
  const Channels<T> from = GroupOf(of, task.plane);
  const float pivot = PivotOf(from);
  if (WriteNormalized<float, Sum>(block, task, of, from, segments, memory,
                                  Deviations<Sum, 2>{pivot}, of.weight)) {
    return;
  }
  // Something was not finite, or too large or too small for the sums of the card or for float32.
  WriteNormalized<double, double>(block, task, of, from, nullptr, memory,
                                  FiniteDeviations<2>{pivot}, of.exact_weight);
  const size_t width = of.plan.window.horizontal.outputs;
  T* y = of.y + (from.x - of.x);
  SlideOver<double>(block, of.plan, task, from, nullptr, memory, NonFinite{},
                    [&](size_t row_begin, size_t row_end, size_t column, const double(&sums)[1]) {
                      if (sums[0] == 0.0) return;
                      for (size_t i = 0; i < from.count; ++i) {
                        for (size_t row = row_begin; row < row_end; ++row) {
                          y[i * from.plane_size + row * width + column] =
                              Narrow<T>(kInfinity - kInfinity);
                        }
                      }
                    });
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_NORMALIZE_BODY_H_
