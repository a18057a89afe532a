#ifndef TLSC_FUZZ_WINDOW_CHECKS_H_
#define TLSC_FUZZ_WINDOW_CHECKS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/nchw_shape.h"
#include "fuzz/fuzz_input.h"
#include "kernels/window_ref.h"

// What the targets of the sliding kernels check, besides the values that references give.
namespace tlsc {

// Whether strides are such that fast mode takes them, and leaves a sample in planes that are not
// empty.
inline bool TakesStride(const NchwShape& shape, const KernelShape& kernel_shape,
                        const std::optional<MaxStride>& max_stride) {
  if (!max_stride) return true;
  if ((*max_stride)[0] < 1 || (*max_stride)[1] < 1) return false;
  if (*ElementCount(shape) == 0) return true;
  const auto height = static_cast<int64_t>(shape.height);
  const auto width = static_cast<int64_t>(shape.width);
  const WindowRef window =
      FastWindowAtRef(height, width, kernel_shape, *max_stride, Padding::kReplicate, 0, 0);
  return window.bottom > window.top && window.right > window.left;
}

// Of the finite ones.
inline double LargestMagnitude(const float* values, size_t count) {
  double largest = 0.0;
  for (size_t i = 0; i < count; ++i) {
    if (std::isfinite(values[i])) largest = std::max<double>(largest, std::abs(values[i]));
  }
  return largest;
}

// How far a finite value of a group of planes lies from the mean of their finite first values.
inline double LargestDeviation(const float* group, size_t planes, size_t plane_size) {
  double sum = 0.0;
  double count = 0.0;
  for (size_t plane = 0; plane < planes; ++plane) {
    const float first = group[plane * plane_size];
    if (!std::isfinite(first)) continue;
    sum += double{first};
    count += 1.0;
  }
  const double pivot = count == 0.0 ? 0.0 : sum / count;
  double largest = 0.0;
  for (size_t i = 0; i < planes * plane_size; ++i) {
    if (std::isfinite(group[i])) largest = std::max(largest, std::abs(double{group[i]} - pivot));
  }
  return largest;
}

// Checks one output of a normalization.
template <typename T>
void CheckNormalized(double actual, const NormalizedRef& exact, double largest_deviation,
                     float epsilon, float scale, float bias) {
  const auto [value, deviation] = exact;
  if (std::isnan(deviation)) {
    Expect(std::isnan(actual), "NaN where the window holds what is not finite");
    return;
  }
  // Times an infinity, a difference that rounding has left of 0 counts as any other.
  if (!std::isfinite(scale) || !std::isfinite(bias)) return;
  // 0 divided by 0: of a constant plane without an epsilon nothing is stated.
  if (deviation == 0.0) return;
  if (largest_deviation <= 1e4 * deviation) {
    const double error = 1e-5 * std::max<double>(std::abs(scale), std::abs(value - double{bias}));
    Expect(RoundsTo<T>(actual, value, error), "the value within the error that is stated");
  } else if (std::isfinite(value) && epsilon > 0.0f) {
    Expect(!std::isnan(actual), "no NaN of finite values");
  }
}

}  // namespace tlsc

#endif  // TLSC_FUZZ_WINDOW_CHECKS_H_
