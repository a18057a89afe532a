#ifndef TLSC_KERNELS_LOCAL_GROUP_NORMALIZATION_REF_H_
#define TLSC_KERNELS_LOCAL_GROUP_NORMALIZATION_REF_H_

#include <cmath>

#include "kernels/local_group_normalization.h"
#include "kernels/window_ref.h"

namespace tlsc {

// Output (y, x) of one channel of an image, by the definition, in float64, the variance in a second
// pass over the window. scale and bias are those of the channel. For tests only.
inline NormalizedRef LocalGroupNormalizationRef(const float* image, int64_t channels,
                                                int64_t height, int64_t width, double scale,
                                                double bias,
                                                const LocalGroupNormalizationParams& params,
                                                int64_t channel, int64_t y, int64_t x) {
  const int64_t group_channels = channels / params.num_groups;
  const int64_t first = channel / group_channels * group_channels;
  const WindowRef window =
      WindowAtRef(height, width, params.kernel_shape, Padding::kReplicate, y, x);
  const auto value = [&](int64_t c, int64_t i, int64_t j) -> double {
    return image[(c * height + i) * width + j];
  };
  // Of f over the window in all planes, which are of one size.
  const auto mean_of = [&](auto f) {
    double sum = 0.0;
    for (int64_t c = first; c < first + group_channels; ++c) {
      sum += MeanRef(window, [&](int64_t i, int64_t j) { return f(value(c, i, j)); });
    }
    return sum / static_cast<double>(group_channels);
  };
  const double mean = mean_of([](double v) { return v; });
  const double variance = mean_of([&](double v) { return (v - mean) * (v - mean); });
  const double deviation = std::sqrt(variance + double{params.epsilon});
  return {(value(channel, y, x) - mean) / deviation * scale + bias, deviation};
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_GROUP_NORMALIZATION_REF_H_
