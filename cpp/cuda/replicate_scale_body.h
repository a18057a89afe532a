#ifndef TLSC_CUDA_REPLICATE_SCALE_BODY_H_
#define TLSC_CUDA_REPLICATE_SCALE_BODY_H_

#include <cstddef>

#include "base/nchw_shape.h"
#include "cuda/host_device.h"
#include "cuda/pixel.h"
#include "kernels/replicate_scale.h"
#include "kernels/window.h"

namespace tlsc::cuda {

template <typename T>
struct ScaleArguments {
  const T* x;
  NchwShape x_shape;
  const T* s;
  NchwShape s_shape;
  size_t channels;  // of y
  Window window;    // whose positions S has a value for
  T* y;
};

// The shapes are valid together, and not empty.
template <typename T>
ScaleArguments<T> MakeScaleArguments(const T* x, const NchwShape& x_shape, const T* s,
                                     const NchwShape& s_shape, T* y) {
  const size_t channels = ReplicateScaleShape(x_shape, s_shape).channels;
  return {x, x_shape, s, s_shape, channels, ReplicateScaleWindow(x_shape, s_shape), y};
}

// The plane of a tensor that plane (image, channel) of the output is computed from.
constexpr size_t PlaneFor(const NchwShape& shape, size_t image, size_t channel) {
  return (shape.batch == 1 ? 0 : image) * shape.channels + (shape.channels == 1 ? 0 : channel);
}

// What one thread does of ReplicateScale.
template <typename T>
TLSC_HOST_DEVICE void RunElement(const ScaleArguments<T>& of, size_t element) {
  const size_t width = of.x_shape.width;
  const size_t height = of.x_shape.height;
  const size_t column = element % width;
  const size_t row = element / width % height;
  const size_t plane = element / width / height;
  const size_t image = plane / of.channels;
  const size_t channel = plane % of.channels;
  const size_t s_row =
      PlaneFor(of.s_shape, image, channel) * of.s_shape.height + of.window.vertical.PositionOf(row);
  const T scale = of.s[s_row * of.s_shape.width + of.window.horizontal.PositionOf(column)];
  const T value = of.x[(PlaneFor(of.x_shape, image, channel) * height + row) * width + column];
  of.y[element] = Narrow<T>(Widen(value) * Widen(scale));
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_REPLICATE_SCALE_BODY_H_
