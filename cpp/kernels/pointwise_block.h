#ifndef TLSC_KERNELS_POINTWISE_BLOCK_H_
#define TLSC_KERNELS_POINTWISE_BLOCK_H_

#include <cstddef>

#include "kernels/channel_block.h"

namespace tlsc {

// What the pixels of a block are convolved with, in float32, and what it writes besides.
template <typename T>
struct PointwiseLayer {
  const ChannelNorm<T>* norm;  // null for none
  const float* weights;        // [outputs, channels],
  size_t weights_stride;       // from one output to the next
  const float* bias;
  size_t outputs;
  bool gates;
  const float* gamma;  // null where there is no residual
  const T* residual;   // where y's first pixel has it

  // The channels of y.
  size_t Written() const { return gates ? outputs / 2 : outputs; }
};

// The block, and what comes of it, output by output.
struct PointwiseRows {
  PointwiseRows(RowCutter& cutter, size_t channels, size_t written, size_t pixels)
      : block(cutter, channels, pixels),
        results(cutter.Cut<float>(written * ChannelStride(pixels))) {}

  BlockRows block;
  float* results;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_POINTWISE_BLOCK_H_
