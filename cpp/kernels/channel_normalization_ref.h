#ifndef TLSC_KERNELS_CHANNEL_NORMALIZATION_REF_H_
#define TLSC_KERNELS_CHANNEL_NORMALIZATION_REF_H_

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/channel_normalization.h"

namespace tlsc {

// One channel of the pixel whose first channel is *pixel and whose others lie `plane` elements
// apart, by the definition, in float64, the variance in a second pass. scale and bias are those of
// the channel. For tests only.
inline double ChannelNormalizationRef(const float* pixel, size_t channels, size_t plane,
                                      double scale, double bias,
                                      const ChannelNormalizationParams& params, size_t channel) {
  const auto value = [&](size_t c) { return double{pixel[c * plane]}; };
  const auto mean_of = [&](auto f) {
    double sum = 0.0;
    for (size_t c = 0; c < channels; ++c) sum += f(value(c));
    return sum / static_cast<double>(channels);
  };
  const double mean = mean_of([](double v) { return v; });
  const double variance = mean_of([&](double v) { return (v - mean) * (v - mean); });
  const double deviation = std::sqrt(variance + double{params.epsilon});
  return (value(channel) - (params.centers ? mean : 0.0)) / deviation * scale + bias;
}

// How far the kernel may be off that: what its header says.
inline double ChannelNormalizationError(size_t channels, double scale, double bias, double exact) {
  const double error = 1e-6 * (1.0 + std::sqrt(static_cast<double>(channels)) / 16.0);
  return error * std::max(std::abs(scale), std::abs(exact - bias));
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_CHANNEL_NORMALIZATION_REF_H_
