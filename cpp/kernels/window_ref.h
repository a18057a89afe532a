#ifndef TLSC_KERNELS_WINDOW_REF_H_
#define TLSC_KERNELS_WINDOW_REF_H_

#include <algorithm>
#include <cstdint>

#include "kernels/window.h"

// Straight from the definition and slow, for tests only. Shares no arithmetic with window.h.
namespace tlsc {

struct WindowRef {
  int64_t top, left;                       // first row and column inside
  int64_t bottom, right;                   // one past the last
  int64_t down_step = 1, across_step = 1;  // from one that counts to the next
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

// One axis of the same in fast mode, step by step as published: samples, sums over k of them of
// which the first never is one, each value repeated, and padding.
struct FastAxisRef {
  int64_t begin, end, step;  // pixels
};

inline FastAxisRef FastAxisAtRef(int64_t length, int64_t kernel, int64_t max_stride,
                                 Padding padding, int64_t output) {
  int64_t r = 1;
  for (const int64_t divisor : {1, 2, 3, 4, 5}) {
    if (length % divisor == 0) r = divisor;
  }
  r = std::min(r, max_stride);
  const int64_t n = (length - 1) / r + 1;
  const int64_t k = std::min(n - 1, kernel / r);
  const int64_t repeated = (n - k) * r;
  const int64_t before = padding == Padding::kValid ? 0 : (length - repeated) / 2;
  const int64_t i = std::clamp<int64_t>(output - before, 0, repeated - 1) / r;
  return {(i + 1) * r, (i + k + 1) * r, r};
}

inline WindowRef FastWindowAtRef(int64_t height, int64_t width, const KernelShape& kernel_shape,
                                 const MaxStride& max_stride, Padding padding, int64_t y,
                                 int64_t x) {
  if (kernel_shape[0] >= height && kernel_shape[1] >= width) return {0, 0, height, width};
  const FastAxisRef down = FastAxisAtRef(height, kernel_shape[0], max_stride[0], padding, y);
  const FastAxisRef across = FastAxisAtRef(width, kernel_shape[1], max_stride[1], padding, x);
  return {down.begin, across.begin, down.end, across.end, down.step, across.step};
}

// The mean over the window of f(row, column).
template <typename F>
double MeanRef(const WindowRef& window, F f) {
  double sum = 0.0;
  double count = 0.0;
  for (int64_t i = window.top; i < window.bottom; i += window.down_step) {
    for (int64_t j = window.left; j < window.right; j += window.across_step) {
      sum += f(i, j);
      count += 1.0;
    }
  }
  return sum / count;
}

// An output of a normalization, and the sqrt(variance + epsilon) that led to it.
struct NormalizedRef {
  double value;
  double deviation;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_WINDOW_REF_H_
