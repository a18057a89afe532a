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
//
// Of a plane that is a piece of a larger one they are those of the larger one's windows that lie in
// the piece. At a border of the piece that cuts a window in two, one more lies within the piece,
// for the pixels that none of the others holds.
struct WindowTiles {
  size_t length;  // of the plane, in pixels
  size_t window;  // of each, in pixels
  size_t count;
  size_t step;  // from a window to the next, but to the last one

  // Of a piece: where it begins, the last window of the whole begins, and how many that has.
  size_t place;
  size_t last;
  size_t whole_count;
  size_t first;  // the first window of the whole that lies in the piece
  size_t front;  // 1 where there is one more in front of it
  size_t back;   // 1 where there is one more behind the last one

  // How many windows of the whole lie in the piece.
  constexpr size_t Whole() const { return count - front - back; }

  constexpr size_t Begin(size_t index) const {
    if (index < front) return 0;
    if (index >= count - back) return length - window;
    return std::min((first + index - front) * step, last) - place;
  }
  constexpr size_t End(size_t index) const { return Begin(index) + window; }

  // The first of the windows that hold the pixel.
  constexpr size_t FirstOver(size_t pixel) const {
    const size_t at = pixel + place;
    const size_t over = at < window ? 0 : std::min((at - window) / step + 1, whole_count - 1);
    return IndexOver(std::max(over, first), pixel);
  }
  // One behind the last of them.
  constexpr size_t EndOver(size_t pixel) const {
    const size_t at = pixel + place;
    const size_t over = at >= last ? whole_count : at / step + 1;
    const size_t end = std::min(over, first + Whole());
    return IndexOver(end - std::min<size_t>(end, 1), pixel) + 1;
  }
  // Up to where the same windows hold every pixel, from this one on.
  constexpr size_t SameUntil(size_t pixel) const {
    const size_t index = FirstOver(pixel);
    const size_t next = EndOver(pixel);
    const bool is_front = index < front;
    const size_t end = is_front && Whole() > 0 ? Begin(front) : End(index);
    const bool has_next = !is_front && next < count - back;
    return has_next ? std::min(end, Begin(next)) : end;
  }

 private:
  // The index of a window of the whole, where it holds the pixel; else that of the one at the
  // border of the piece.
  constexpr size_t IndexOver(size_t over, size_t pixel) const {
    if (over >= first && over < first + Whole()) {
      const size_t index = over - first + front;
      if (Begin(index) <= pixel && pixel < End(index)) return index;
    }
    const bool is_in_front = Whole() > 0 ? pixel < Begin(front) : back == 0 || pixel < window;
    return is_in_front ? 0 : count - 1;
  }
};

// All steps but the last are more than half a window: a pixel has two neighbours in line at most.
inline constexpr size_t kMostTilesPerPixel = 3;

// The tiles of an axis, after Restormer's TLC form (megvii-research/TLC, grids of `local_base`).
// kernel >= 1; the place is valid, and the plane no shorter than a window of the whole. An axis of
// length 0 has one window of length 0.
inline WindowTiles MakeWindowTiles(size_t length, int64_t kernel, const AxisPlace& at = {}) {
  const size_t whole = at.whole == 0 ? length : at.whole;
  const size_t window = static_cast<size_t>(
      std::min<uint64_t>(static_cast<uint64_t>(kernel), static_cast<uint64_t>(whole)));
  size_t count = 1;
  size_t step = std::max<size_t>(window, 1);
  if (window < whole) {
    count = (whole - 1) / window + 1;
    step = (whole - window - 1) / (count - 1) + 1;
  }
  const size_t last = whole - window;
  if (at.whole == 0) return {length, window, count, step, 0, last, count, 0, 0, 0};

  const size_t end_most = at.begin + length - window;  // of beginnings of windows in the piece
  const size_t first = at.begin > last ? count : (at.begin + step - 1) / step;
  const size_t end = end_most >= last ? count : end_most / step + 1;
  WindowTiles tiles = {length, window, 0, step, at.begin, last, count, first, 0, 0};
  if (first >= end) {
    tiles.front = 1;
    tiles.back = length > window ? 1 : 0;
    tiles.count = tiles.front + tiles.back;
    return tiles;
  }
  const size_t last_end = std::min((end - 1) * step, last) + window;
  tiles.front = std::min(first * step, last) > at.begin ? 1 : 0;
  tiles.back = last_end < at.begin + length ? 1 : 0;
  tiles.count = tiles.front + (end - first) + tiles.back;
  return tiles;
}

// Along an axis whose windows are known to be of this length.
inline WindowTiles TilesOf(size_t length, size_t window, const AxisPlace& at = {}) {
  return MakeWindowTiles(length, static_cast<int64_t>(std::max<size_t>(window, 1)), at);
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
