#ifndef TLSC_KERNELS_ATTENTION_BLOCK_H_
#define TLSC_KERNELS_ATTENTION_BLOCK_H_

#include <algorithm>
#include <cstddef>

#include "kernels/channel_block.h"
#include "kernels/scratch.h"

namespace tlsc {

// From one row of a head's square matrices to the next.
inline size_t MatrixStride(size_t channels) { return PaddedPixels(channels); }

// Pixels that are multiplied at a time, of heads of so many channels: queries and keys stay in the
// second-level cache.
inline size_t AttentionPixels(size_t channels) {
  constexpr size_t kMost = 512;  // that are added up in float32
  const size_t fitting =
      kBlockBytes / sizeof(float) / (2 * std::max<size_t>(MatrixStride(channels), 1));
  return std::clamp(fitting / kBlockGrain * kBlockGrain, kBlockGrain, kMost);
}

// Keys are turned, so many channels at a time.
inline constexpr size_t kTurnedChannels = 4;

// Some of a plane's pixels in one head, by rows of a rectangle.
template <typename T>
struct AttentionPart {
  const T* queries;  // the first pixel in the head's first channel
  const T* keys;
  size_t channels;
  size_t plane;   // pixels from one channel to the next
  size_t row;     // pixels from one row to the next
  size_t width;   // pixels of a row
  size_t pixels;  // in all
};

// What a part adds to the windows that hold it.
struct AttentionSums {
  float* products;  // [channels, MatrixStride(channels)]: of queries and keys
  double* queries;  // [channels]: of squares
  double* keys;
};

// A block of pixels of a part.
struct AttentionRows {
  AttentionRows(RowCutter& cutter, size_t channels)
      : queries(cutter.Cut<float>(channels * AttentionPixels(channels))),
        turning(cutter.Cut<float>(kTurnedChannels * AttentionPixels(channels))),
        keys(cutter.Cut<float>(AttentionPixels(channels) * MatrixStride(channels))) {}

  float* queries;  // channel by channel
  float* turning;  // some channels of the keys
  float* keys;     // pixel by pixel
};

// The weights of the convolution behind attention, in the channels of one head, and what becomes of
// them.
struct HeadProjection {
  const float* attention;  // [channels, MatrixStride(channels)]
  size_t channels;
  const float* weights;  // [outputs, channels],
  size_t weights_stride;
  size_t outputs;
  float* y;  // [outputs, channels]
  size_t y_stride;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_ATTENTION_BLOCK_H_
