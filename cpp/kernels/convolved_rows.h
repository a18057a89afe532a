#ifndef TLSC_KERNELS_CONVOLVED_ROWS_H_
#define TLSC_KERNELS_CONVOLVED_ROWS_H_

#include <cstddef>

#include "kernels/bands.h"
#include "kernels/depthwise_conv.h"
#include "kernels/scratch.h"

// What DepthwiseConv works on at a time.
namespace tlsc {

// Zeros on both sides of a row: a vector of the longest, of which one is the border.
inline constexpr size_t kRowBorder = 16;

// Rows of one channel in float32, with zeros around them, of which three are there at a time.
struct RowRing {
  RowRing(RowCutter& cutter, size_t width) {
    for (float*& row : rows) row = cutter.Cut<float>(width + 2 * kRowBorder);
  }

  float* rows[3];
};

struct ConvolvedRows {
  ConvolvedRows(RowCutter& cutter, size_t width, Gate gate)
      : first(cutter, width), zeros(cutter.Cut<float>(width + 2 * kRowBorder)) {
    if (gate == Gate::kNone) return;
    second = RowRing(cutter, width);
    values = cutter.Cut<float>(width + kRowBorder);
  }

  RowRing first;
  RowRing second = first;   // of the channel that the gate multiplies with
  float* zeros;             // above and below the plane
  float* values = nullptr;  // of the first channel, convolved
};

// A channel, and what it is convolved with.
template <typename T>
struct ConvolvedChannel {
  const T* x;  // the plane
  const T* weights;
  const T* bias;
};

// What one call of the vector body works on.
template <typename T>
struct ConvolvedBand {
  ConvolvedChannel<T> first;
  ConvolvedChannel<T> second;  // as in ConvolvedRows
  T* y;                        // the plane
  size_t height;
  size_t width;
  Band rows;
  Gate gate;
  bool streams;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_CONVOLVED_ROWS_H_
