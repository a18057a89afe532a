#ifndef TLSC_KERNELS_DEPTHWISE_CONV_H_
#define TLSC_KERNELS_DEPTHWISE_CONV_H_

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"

namespace tlsc {

// What becomes of the two halves of the channels, u the first and v the second.
enum class Gate {
  kNone,     // they stay
  kProduct,  // u · v (NAFNet, Chu et al., arXiv 2204.04676)
  kGelu,     // u · Φ(u) · v, Φ that of the normal distribution (Restormer, arXiv 2111.09881)
};

// The shape of y.
NchwShape DepthwiseConvShape(const NchwShape& x_shape, Gate gate);

// What DepthwiseConv would refuse at a call with these tensors.
Status CheckDepthwiseConv(const void* x, const NchwShape& x_shape, const void* weights,
                          const void* bias, Gate gate, const void* y);

// Each channel convolved with a kernel of its own of 3 × 3 weights, around it zeros, and the two
// halves of the channels put together by a gate:
//
//   z[c, i, j] = bias[c] + sum over k, l in 0 … 2 of w[c, k, l] * x[c, i + k - 1, j + l - 1]
//
//   T        float or Float16
//   x        [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   weights  [C, 1, 3, 3]; `W` in ONNX
//   bias     [C]; `B` in ONNX
//   y        of DepthwiseConvShape(x_shape, gate), contiguous; must not overlap the others.
//   loop     runs bands of rows; the result does not depend on how.
//
// Arithmetic is float32: each output is within 2e-6 of the sum of the magnitudes of what it adds
// up; with a gate, of the product of the two such sums.
//
// A NaN or infinity reaches the outputs whose kernel holds it, and no others.
//
// Scratch: four rows of the plane's width in float32, with a gate eight, that each thread keeps
// for its next call.
//
// Returns kInvalidArgument (an odd number of channels before a gate, a null tensor that has
// elements, sizes beyond memory) before y is touched, kOutOfMemory, or what the loop returned.
template <typename T>
Status DepthwiseConv(const T* x, const NchwShape& x_shape, const T* weights, const T* bias,
                     Gate gate, ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_DEPTHWISE_CONV_H_
