#ifndef TLSC_CUDA_DEPTHWISE_CONV_BODY_H_
#define TLSC_CUDA_DEPTHWISE_CONV_BODY_H_

#include <cmath>
#include <cstddef>

#include "base/nchw_shape.h"
#include "cuda/host_device.h"
#include "cuda/pixel.h"
#include "kernels/depthwise_conv.h"

namespace tlsc::cuda {

template <typename T>
struct DepthwiseArguments {
  const T* x;
  NchwShape x_shape;
  const T* weights;
  const T* bias;
  Gate gate;
  size_t channels;  // of y
  T* y;
};

template <typename T>
DepthwiseArguments<T> MakeDepthwiseArguments(const T* x, const NchwShape& x_shape, const T* weights,
                                             const T* bias, Gate gate, T* y) {
  return {x, x_shape, weights, bias, gate, DepthwiseConvShape(x_shape, gate).channels, y};
}

// One channel's convolution at a pixel.
template <typename T>
TLSC_HOST_DEVICE float ConvolvedAt(const DepthwiseArguments<T>& of, size_t image, size_t channel,
                                   size_t row, size_t column) {
  const size_t height = of.x_shape.height;
  const size_t width = of.x_shape.width;
  const T* plane = of.x + (image * of.x_shape.channels + channel) * height * width;
  const T* weights = of.weights + 9 * channel;
  float sum = Widen(of.bias[channel]);
  for (size_t k = 0; k < 3; ++k) {
    const size_t i = row + k - 1;  // beyond the last where it lies before the first
    if (i >= height) continue;
    for (size_t l = 0; l < 3; ++l) {
      const size_t j = column + l - 1;
      if (j < width) sum += Widen(plane[i * width + j]) * Widen(weights[3 * k + l]);
    }
  }
  return sum;
}

TLSC_HOST_DEVICE inline float Gelu(float x) {
  constexpr float kRootOfHalf = 0.70710678f;
  return 0.5f * x * erfcf(-x * kRootOfHalf);
}

// What one thread does of DepthwiseConv.
template <typename T>
TLSC_HOST_DEVICE void RunElement(const DepthwiseArguments<T>& of, size_t element) {
  const size_t width = of.x_shape.width;
  const size_t height = of.x_shape.height;
  const size_t column = element % width;
  const size_t row = element / width % height;
  const size_t plane = element / width / height;
  const size_t image = plane / of.channels;
  const size_t channel = plane % of.channels;
  float value = ConvolvedAt(of, image, channel, row, column);
  if (of.gate == Gate::kGelu) value = Gelu(value);
  if (of.gate != Gate::kNone) {
    value *= ConvolvedAt(of, image, channel + of.channels, row, column);
  }
  of.y[element] = Narrow<T>(value);
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_DEPTHWISE_CONV_BODY_H_
