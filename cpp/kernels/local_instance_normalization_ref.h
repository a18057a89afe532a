#ifndef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_REF_H_
#define TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_REF_H_

#include <cmath>

#include "kernels/local_instance_normalization.h"
#include "kernels/window_ref.h"

namespace tlsc {

// Output (y, x) of one plane, by the definition, in float64, the variance in a second pass over the
// window. scale and bias are those of the plane's channel. For tests only.
inline NormalizedRef LocalInstanceNormalizationRef(const float* plane, int64_t height,
                                                   int64_t width, double scale, double bias,
                                                   const LocalInstanceNormalizationParams& params,
                                                   int64_t y, int64_t x) {
  const WindowRef window =
      params.max_stride
          ? FastWindowAtRef(height, width, params.kernel_shape, *params.max_stride,
                            Padding::kReplicate, y, x)
          : WindowAtRef(height, width, params.kernel_shape, Padding::kReplicate, y, x);
  const auto value = [&](int64_t i, int64_t j) -> double { return plane[i * width + j]; };
  const double mean = MeanRef(window, value);
  const double variance = MeanRef(
      window, [&](int64_t i, int64_t j) { return (value(i, j) - mean) * (value(i, j) - mean); });
  const double deviation = std::sqrt(variance + double{params.epsilon});
  return {(value(y, x) - mean) / deviation * scale + bias, deviation};
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_REF_H_
