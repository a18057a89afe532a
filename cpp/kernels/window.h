#ifndef TLSC_KERNELS_WINDOW_H_
#define TLSC_KERNELS_WINDOW_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/nchw_shape.h"

namespace tlsc {

// Height and width of a window in pixels, as in the ONNX attribute. At least 1; may exceed the
// plane.
using KernelShape = std::array<int64_t, 2>;

// Where a piece of a plane lies in it along an axis, in pixels. A whole of 0: it is all there is.
struct AxisPlace {
  size_t begin = 0;
  size_t whole = 0;
};

struct PlanePlace {
  AxisPlace vertical;
  AxisPlace horizontal;
};

enum class Padding {
  kReplicate,  // output as large as the plane; beyond the first and last position, theirs is
               // repeated
  kValid,      // one output per position of the window
};

// Fast mode: the most pixels down and across that samples may lie apart. At least 1.
using MaxStride = std::array<int64_t, 2>;

// How a window moves along one axis of a plane, and which outputs each of its positions feeds.
struct WindowAxis {
  size_t length;     // of the plane, in pixels
  size_t window;     // min(kernel, length); in samples, like the next
  size_t positions;  // places at which the window lies inside the plane
  size_t leading;    // outputs in front of the first that belongs to position 0
  size_t outputs;

  // Windows are taken of samples: of all pixels, but in fast mode.
  size_t samples;
  size_t first = 0;   // pixel that is the first sample
  size_t stride = 1;  // pixels from a sample to the next, and outputs per position

  constexpr bool TakesAll() const { return samples == length; }

  // The position that an output takes its value from.
  constexpr size_t PositionOf(size_t output) const {
    return output < leading ? 0 : std::min((output - leading) / stride, positions - 1);
  }
  // Turned around: position p feeds the outputs from OutputBegin(p) up to, but not including,
  // OutputEnd(p).
  constexpr size_t OutputBegin(size_t position) const {
    return position == 0 ? 0 : leading + position * stride;
  }
  constexpr size_t OutputEnd(size_t position) const {
    return position + 1 == positions ? outputs : leading + (position + 1) * stride;
  }
};

// kernel >= 1. An axis of length 0 has no positions and no outputs.
inline WindowAxis MakeWindowAxis(size_t length, int64_t kernel, Padding padding) {
  if (length == 0) return {};
  const size_t window = static_cast<size_t>(
      std::min<uint64_t>(static_cast<uint64_t>(kernel), static_cast<uint64_t>(length)));
  const size_t positions = length - window + 1;
  if (padding == Padding::kValid) return {length, window, positions, 0, positions, length};
  // Rounding down sends the extra row or column of an even window to the bottom or right.
  return {length, window, positions, (window - 1) / 2, length, length};
}

// The axis of fast mode, the published approximation: windows over every stride-th pixel, the first
// left out. Its window is 0, and the axis of no use, where that leaves nothing. length >= 1.
inline WindowAxis MakeFastWindowAxis(size_t length, int64_t kernel, int64_t max_stride,
                                     Padding padding) {
  size_t stride = 5;
  while (length % stride != 0) --stride;
  stride = static_cast<size_t>(std::min<uint64_t>(stride, static_cast<uint64_t>(max_stride)));
  const size_t samples = (length + stride - 1) / stride - 1;
  const size_t window = std::min(samples, static_cast<size_t>(kernel) / stride);
  const size_t positions = samples - window + 1;
  const size_t repeated = std::min(positions * stride, length);  // more where the window is 0
  const bool valid = padding == Padding::kValid;
  const size_t leading = valid ? 0 : (length - repeated) / 2;
  const size_t outputs = valid ? repeated : length;
  return {length, window, positions, leading, outputs, samples, stride, stride};
}

struct Window {
  WindowAxis vertical;
  WindowAxis horizontal;

  constexpr size_t area() const { return vertical.window * horizontal.window; }
};

// `max_stride` asks for fast mode, which is the exact one where the window covers the plane.
inline Window MakeWindow(const NchwShape& x, const KernelShape& kernel_shape, Padding padding,
                         const std::optional<MaxStride>& max_stride = std::nullopt) {
  const Window window = {MakeWindowAxis(x.height, kernel_shape[0], padding),
                         MakeWindowAxis(x.width, kernel_shape[1], padding)};
  const bool covers = window.vertical.window == x.height && window.horizontal.window == x.width;
  if (!max_stride || covers || x.height == 0 || x.width == 0) return window;
  return {MakeFastWindowAxis(x.height, kernel_shape[0], (*max_stride)[0], padding),
          MakeFastWindowAxis(x.width, kernel_shape[1], (*max_stride)[1], padding)};
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_WINDOW_H_
