#ifndef TLSC_KERNELS_POINTWISE_CONV_H_
#define TLSC_KERNELS_POINTWISE_CONV_H_

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/channel_normalization.h"

namespace tlsc {

// What PointwiseConv does besides convolving.
struct PointwiseConvParams {
  bool normalizes = false;  // first, over the channels, as ChannelNormalization does
  ChannelNormalizationParams norm = {};
  bool gates = false;  // the product of the two halves of the channels
};

// What it reads. Null for what is not there.
template <typename T>
struct PointwiseConvTensors {
  const T* x;         // [N, C, H, W]
  const T* scale;     // [C], and
  const T* shift;     // [C] or null: of the normalization
  const T* weights;   // [K, C]; `W` in ONNX, [K, C, 1, 1]
  const T* bias;      // [K]; `B` in ONNX
  const T* gamma;     // [K] or, with a gate, [K / 2]; comes with the next
  const T* residual;  // like y; `R` in ONNX
};

// The shape of y, for so many outputs K.
NchwShape PointwiseConvShape(const NchwShape& x_shape, size_t outputs,
                             const PointwiseConvParams& params);

// What PointwiseConv would refuse at a call with these tensors; params included.
template <typename T>
Status CheckPointwiseConv(const PointwiseConvTensors<T>& tensors, const NchwShape& x_shape,
                          size_t outputs, const PointwiseConvParams& params, const T* y);

// A convolution of single pixels, and what stands around it in restoration networks: the
// normalization in front of it, the gate or the sum behind it.
//
//   z[k] = bias[k] + sum over c of weights[k, c] * p[c]     p: the pixel, normalized if asked for
//   z[k] = z[k] * z[k + K / 2]                              with a gate, of half as many
//   y[k] = residual[k] + gamma[k] * z[k]                    where there is a residual, else z[k]
//
//   T        float or Float16
//   y        [N, K or K / 2, H, W]; may be `residual` itself, must not overlap anything otherwise.
//            Tensors are contiguous. Any size of y may be 0; nothing is done then. Of no channels
//            of x the bias is left.
//   loop     runs blocks of pixels; the result does not depend on how.
//
// Arithmetic is float32: z is within (C + 8) * 2^-24 of the magnitudes that it adds up, besides
// what ChannelNormalization is off by in p.
//
// A NaN or infinity reaches all outputs of its pixel, and no other pixel.
//
// Memory is read once and written once. Scratch: up to 241 KiB, or 320 bytes per channel of x and
// y where they have more than 768 together, that each thread keeps for its next call; besides, of
// float16, the parameters in float32.
//
// Returns kInvalidArgument (a bad epsilon, an odd K before a gate, a null tensor that has elements,
// sizes beyond memory) before y is touched, kOutOfMemory, or what the loop returned.
template <typename T>
Status PointwiseConv(const PointwiseConvTensors<T>& tensors, const NchwShape& x_shape,
                     size_t outputs, const PointwiseConvParams& params, ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_POINTWISE_CONV_H_
