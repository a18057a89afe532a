#ifndef TLSC_KERNELS_WINDOW_H_
#define TLSC_KERNELS_WINDOW_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/nchw_shape.h"

namespace tlsc {

// Height and width of a window in pixels, as in the ONNX attribute. At least 1; may exceed the
// plane.
using KernelShape = std::array<int64_t, 2>;

enum class Padding {
  kReplicate,  // output as large as the plane; beyond the first and last position, theirs is
               // repeated
  kValid,      // one output per position of the window
};

// How a window moves along one axis of a plane, and which outputs each of its positions feeds.
struct WindowAxis {
  size_t length;     // of the plane
  size_t window;     // min(kernel, length)
  size_t positions;  // places at which the window lies inside the plane
  size_t leading;    // outputs in front of the one that belongs to position 0
  size_t outputs;

  // Output o takes its value from position clamp(o - leading, 0, positions - 1). Turned around:
  // position p feeds the outputs from OutputBegin(p) up to, but not including, OutputEnd(p).
  size_t OutputBegin(size_t position) const { return position == 0 ? 0 : leading + position; }
  size_t OutputEnd(size_t position) const {
    return position + 1 == positions ? outputs : leading + position + 1;
  }
};

// kernel >= 1. An axis of length 0 has no positions and no outputs.
inline WindowAxis MakeWindowAxis(size_t length, int64_t kernel, Padding padding) {
  if (length == 0) return {};
  const size_t window = static_cast<size_t>(
      std::min<uint64_t>(static_cast<uint64_t>(kernel), static_cast<uint64_t>(length)));
  const size_t positions = length - window + 1;
  if (padding == Padding::kValid) return {length, window, positions, 0, positions};
  // Rounding down sends the extra row or column of an even window to the bottom or right.
  return {length, window, positions, (window - 1) / 2, length};
}

struct Window {
  WindowAxis vertical;
  WindowAxis horizontal;

  size_t area() const { return vertical.window * horizontal.window; }
};

inline Window MakeWindow(const NchwShape& x, const KernelShape& kernel_shape, Padding padding) {
  return {MakeWindowAxis(x.height, kernel_shape[0], padding),
          MakeWindowAxis(x.width, kernel_shape[1], padding)};
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_WINDOW_H_
