#ifndef TLSC_KERNELS_DEPTHWISE_CONV_REF_H_
#define TLSC_KERNELS_DEPTHWISE_CONV_REF_H_

#include <cmath>
#include <cstddef>

#include "kernels/depthwise_conv.h"

namespace tlsc {

// A value, and the error that the kernel may have in it.
struct DepthwiseRef {
  double value;
  double error;
};

// One output of one channel's convolution, by the definition, in float64. For tests only.
inline DepthwiseRef ConvolvedRef(const float* plane, size_t height, size_t width,
                                 const float* weights, double bias, size_t row, size_t column) {
  double sum = bias;
  double magnitude = std::abs(bias);
  for (size_t k = 0; k < 3; ++k) {
    for (size_t l = 0; l < 3; ++l) {
      const size_t i = row + k - 1;  // beyond the last where it lies before the first
      const size_t j = column + l - 1;
      if (i >= height || j >= width) continue;
      const double product = double{weights[3 * k + l]} * double{plane[i * width + j]};
      sum += product;
      magnitude += std::abs(product);
    }
  }
  return {sum, 2e-6 * magnitude};
}

// Output `channel` at a pixel of an image, of as many channels as there are before the gate.
inline DepthwiseRef DepthwiseConvRef(const float* image, const NchwShape& shape,
                                     const float* weights, const float* bias, Gate gate,
                                     size_t channel, size_t row, size_t column) {
  const size_t plane = shape.height * shape.width;
  const auto convolved = [&](size_t c) {
    return ConvolvedRef(image + c * plane, shape.height, shape.width, weights + 9 * c,
                        double{bias[c]}, row, column);
  };
  const DepthwiseRef u = convolved(channel);
  if (gate == Gate::kNone) return u;
  const DepthwiseRef v = convolved(channel + shape.channels / 2);
  const double part = gate == Gate::kGelu ? 0.5 * std::erfc(-u.value / std::sqrt(2.0)) : 1.0;
  return {u.value * part * v.value, u.error * v.error / 2e-6};
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_DEPTHWISE_CONV_REF_H_
