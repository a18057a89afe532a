#ifndef TLSC_KERNELS_POINTWISE_CONV_REF_H_
#define TLSC_KERNELS_POINTWISE_CONV_REF_H_

#include <cmath>
#include <cstddef>

#include "kernels/channel_normalization_ref.h"
#include "kernels/pointwise_conv.h"

namespace tlsc {

// A value, and the error that the kernel may have in it.
struct PointwiseRef {
  double value;
  double error;
};

// Output `channel` at pixel `at`, an index into the planes of one image, by the definition, in
// float64. For tests only.
inline PointwiseRef PointwiseConvRef(const PointwiseConvTensors<float>& t, const NchwShape& shape,
                                     size_t image, size_t outputs,
                                     const PointwiseConvParams& params, size_t channel, size_t at) {
  const size_t plane = shape.height * shape.width;
  const size_t channels = shape.channels;
  // Of no channels there is none.
  const float* pixel = channels == 0 ? nullptr : t.x + image * channels * plane + at;
  const auto convolved = [&](size_t k) -> PointwiseRef {
    double sum = double{t.bias[k]};
    double magnitude = std::abs(sum);
    double off = 0.0;
    for (size_t c = 0; c < channels; ++c) {
      double p = double{pixel[c * plane]};
      const double weight = double{t.weights[k * channels + c]};
      if (params.normalizes) {
        const double scale = double{t.scale[c]};
        const double shift = t.shift == nullptr ? 0.0 : double{t.shift[c]};
        p = ChannelNormalizationRef(pixel, channels, plane, scale, shift, params.norm, c);
        off += std::abs(weight) * ChannelNormalizationError(channels, scale, shift, p);
      }
      sum += weight * p;
      magnitude += std::abs(weight * p);
    }
    return {sum, (static_cast<double>(channels) + 8.0) * 0x1p-24 * magnitude + off};
  };
  PointwiseRef z = convolved(channel);
  if (params.gates) {
    const PointwiseRef other = convolved(channel + outputs / 2);
    z = {z.value * other.value, z.error * std::abs(other.value) + other.error * std::abs(z.value) +
                                    z.error * other.error +
                                    0x1p-24 * std::abs(z.value * other.value)};
  }
  if (t.residual == nullptr) return z;
  const size_t y_channels = params.gates ? outputs / 2 : outputs;
  const double gamma = double{t.gamma[channel]};
  const double residual = double{t.residual[(image * y_channels + channel) * plane + at]};
  return {residual + gamma * z.value,
          std::abs(gamma) * z.error + 0x1p-23 * (std::abs(residual) + std::abs(gamma * z.value))};
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_POINTWISE_CONV_REF_H_
