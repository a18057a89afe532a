#ifndef TLSC_KERNELS_WINDOW_TILES_H_
#define TLSC_KERNELS_WINDOW_TILES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/window.h"

namespace tlsc {

// The windows that cover one axis of a plane: as few as can, evenly apart, overlapping where they
// have to. The first begins with the plane, the last ends with it. No pixel lies in more than
// kMostTilesPerPixel of them.
struct WindowTiles {
  size_t length;  // of the plane, in pixels
  size_t window;  // of each, in pixels
  size_t count;
  size_t step;  // from a window to the next, but to the last one

  constexpr size_t Begin(size_t index) const { return std::min(index * step, length - window); }
  constexpr size_t End(size_t index) const { return Begin(index) + window; }

  // The first of the windows that hold the pixel.
  constexpr size_t FirstOver(size_t pixel) const {
    return pixel < window ? 0 : std::min((pixel - window) / step + 1, count - 1);
  }
  // One behind the last of them.
  constexpr size_t EndOver(size_t pixel) const {
    return pixel >= length - window ? count : pixel / step + 1;
  }
};

// All steps but the last are more than half a window: a pixel has two neighbours in line at most.
inline constexpr size_t kMostTilesPerPixel = 3;

// The tiles of an axis, after Restormer's TLC form (megvii-research/TLC, grids of `local_base`).
// kernel >= 1. An axis of length 0 has one window of length 0.
inline WindowTiles MakeWindowTiles(size_t length, int64_t kernel) {
  const size_t window = static_cast<size_t>(
      std::min<uint64_t>(static_cast<uint64_t>(kernel), static_cast<uint64_t>(length)));
  if (window == length) return {length, window, 1, std::max<size_t>(window, 1)};
  const size_t count = (length - 1) / window + 1;
  const size_t step = (length - window - 1) / (count - 1) + 1;
  return {length, window, count, step};
}

// Along an axis whose windows are known to be of this length.
inline WindowTiles TilesOf(size_t length, size_t window) {
  return MakeWindowTiles(length, static_cast<int64_t>(std::max<size_t>(window, 1)));
}

// One row of an image, and where the windows that may hold it are.
template <typename T>
struct MergedRow {
  const T* windows;  // the plane's part of the first window
  size_t distance;   // from a window to the next, in elements
  const WindowTiles& vertical;
  const WindowTiles& horizontal;
  size_t row;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_WINDOW_TILES_H_
