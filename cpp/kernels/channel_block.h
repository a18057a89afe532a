#ifndef TLSC_KERNELS_CHANNEL_BLOCK_H_
#define TLSC_KERNELS_CHANNEL_BLOCK_H_

#include <algorithm>
#include <cstddef>

#include "kernels/scratch.h"

// What ChannelNormalization and PointwiseConv work on at a time: some pixels in all their channels.
// They are copied together, since channels lie planes apart: where a plane's size is a large power
// of two, all of them compete for the same few lines of the caches.
namespace tlsc {

// Blocks are padded to a multiple of so many pixels: four vectors of the longest.
inline constexpr size_t kBlockGrain = 64;

// How large the copy may become. It should stay in a core's second-level cache, of which there are
// 256 KiB at least.
inline constexpr size_t kBlockBytes = size_t{192} << 10;

// More pixels than that win nothing.
inline constexpr size_t kMostBlockPixels = 1024;

// The pixels of a block, a multiple of kBlockGrain, of images of so many channels.
inline size_t BlockPixels(size_t channels) {
  const size_t fitting = kBlockBytes / sizeof(float) / std::max<size_t>(channels, 1);
  return std::clamp(fitting / kBlockGrain * kBlockGrain, kBlockGrain, kMostBlockPixels);
}

inline size_t PaddedPixels(size_t pixels) {
  return (pixels + kBlockGrain - 1) / kBlockGrain * kBlockGrain;
}

// From one channel of the copy to the next: a cache line more, so that channels of a pixel do not
// compete for lines there.
inline size_t ChannelStride(size_t pixels) { return PaddedPixels(pixels) + 16; }

// What one call of a vector body works on.
template <typename T>
struct ChannelBlock {
  const T* x;  // the first pixel in its first channel
  T* y;
  size_t channels;
  size_t plane;  // pixels from one channel to the next
  size_t pixels;
  bool streams;  // the tensor does not fit the caches

  size_t padded() const { return PaddedPixels(pixels); }
  size_t stride() const { return ChannelStride(pixels); }
};

// What its pixels are normalized with, besides their own statistics.
template <typename T>
struct ChannelNorm {
  const T* scale;
  const T* bias;  // may be null
  float epsilon;
  bool centers;
};

// The copy, and what goes by pixel.
struct BlockRows {
  BlockRows(RowCutter& cutter, size_t channels, size_t pixels)
      : values(cutter.Cut<float>(channels * ChannelStride(pixels))),
        mean(cutter.Cut<float>(PaddedPixels(pixels))),
        rest(cutter.Cut<float>(PaddedPixels(pixels))),
        factor(cutter.Cut<float>(PaddedPixels(pixels))) {}

  float* values;  // channel by channel
  float* mean;    // the sum at first
  float* rest;    // what rounding has cut off of the mean
  float* factor;  // 1 / sqrt(variance + epsilon)
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_CHANNEL_BLOCK_H_
