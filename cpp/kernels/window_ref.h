#ifndef TLSC_KERNELS_WINDOW_REF_H_
#define TLSC_KERNELS_WINDOW_REF_H_

#include <algorithm>
#include <cstdint>

#include "kernels/window.h"

// Straight from the definition and slow, for tests only. Shares no arithmetic with window.h.
namespace tlsc {

struct WindowRef {
  int64_t top, left;      // first row and column inside
  int64_t bottom, right;  // one past the last
};

// The window behind output (y, x) of a plane of height × width.
inline WindowRef WindowAtRef(int64_t height, int64_t width, const KernelShape& kernel_shape,
                             Padding padding, int64_t y, int64_t x) {
  const int64_t kh = std::min(kernel_shape[0], height);
  const int64_t kw = std::min(kernel_shape[1], width);
  int64_t top = y;
  int64_t left = x;
  if (padding == Padding::kReplicate) {
    top = std::clamp<int64_t>(y - (kh - 1) / 2, 0, height - kh);
    left = std::clamp<int64_t>(x - (kw - 1) / 2, 0, width - kw);
  }
  return {top, left, top + kh, left + kw};
}

// The mean over the window of f(row, column).
template <typename F>
double MeanRef(const WindowRef& window, F f) {
  double sum = 0.0;
  for (int64_t i = window.top; i < window.bottom; ++i) {
    for (int64_t j = window.left; j < window.right; ++j) sum += f(i, j);
  }
  return sum / static_cast<double>((window.bottom - window.top) * (window.right - window.left));
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_WINDOW_REF_H_
