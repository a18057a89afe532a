#ifndef TLSC_CUDA_CHANNEL_NORMALIZATION_BODY_H_
#define TLSC_CUDA_CHANNEL_NORMALIZATION_BODY_H_

#include <cmath>
#include <cstddef>

#include "base/nchw_shape.h"
#include "cuda/host_device.h"
#include "cuda/pixel.h"
#include "kernels/channel_normalization.h"

namespace tlsc::cuda {

template <typename T>
struct ChannelArguments {
  const T* x;
  const T* scale;
  const T* bias;  // may be null
  ChannelNormalizationParams params;
  size_t channels;
  size_t plane;
  T* y;
};

template <typename T>
ChannelArguments<T> MakeChannelArguments(const T* x, const NchwShape& shape, const T* scale,
                                         const T* bias, const ChannelNormalizationParams& params,
                                         T* y) {
  return {x, scale, bias, params, shape.channels, shape.height * shape.width, y};
}

// How many threads there is work for: one a pixel. Those beside each other read what lies so.
inline size_t PixelCount(const NchwShape& shape) {
  return shape.batch * shape.height * shape.width;
}

// What one thread does of ChannelNormalization.
template <typename T>
TLSC_HOST_DEVICE void RunElement(const ChannelArguments<T>& of, size_t pixel) {
  const size_t first = pixel / of.plane * of.channels * of.plane + pixel % of.plane;
  const T* x = of.x + first;
  const float share = 1.0f / static_cast<float>(of.channels);
  float sum = 0.0f;
  for (size_t c = 0; c < of.channels; ++c) sum += Widen(x[c * of.plane]);
  const float mean = sum * share;
  float rest = 0.0f;  // what rounding has cut off of the mean
  float squares = 0.0f;
  for (size_t c = 0; c < of.channels; ++c) {
    const float difference = Widen(x[c * of.plane]) - mean;
    rest += difference;
    squares += difference * difference;
  }
  rest *= share;
  const float variance = squares * share - rest * rest;
  // In this order a NaN stays one.
  const float factor = 1.0f / sqrtf((variance < 0.0f ? 0.0f : variance) + of.params.epsilon);
  for (size_t c = 0; c < of.channels; ++c) {
    const size_t at = first + c * of.plane;
    const float value = Widen(of.x[at]);
    const float numerator = of.params.centers ? value - mean - rest : value;
    const float bias = of.bias == nullptr ? 0.0f : Widen(of.bias[c]);
    of.y[at] = Narrow<T>(numerator * factor * Widen(of.scale[c]) + bias);
  }
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_CHANNEL_NORMALIZATION_BODY_H_
