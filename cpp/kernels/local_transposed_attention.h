#ifndef TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_H_
#define TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_H_

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

struct LocalTransposedAttentionParams {
  KernelShape kernel_shape;
  size_t heads = 1;
  float epsilon = 1e-12f;  // the least length of a query or key
};

// What it reads. Null for what is not there.
template <typename T>
struct LocalTransposedAttentionTensors {
  const T* x;            // [N, 3·C, H, W]: queries, keys, values
  const T* temperature;  // [heads]
  // Of the convolution behind it.
  const T* weights;   // [K, C]; `W` in ONNX, [K, C, 1, 1]
  const T* bias;      // [K]; `B` in ONNX
  const T* gamma;     // [K]
  const T* residual;  // like y; `R` in ONNX. Null where there is no convolution
};

// What LocalTransposedAttention would refuse at every call, whatever the tensors.
Status Validate(const LocalTransposedAttentionParams& params);

// What LocalTransposedAttention would refuse at a call with these tensors; params included.
// `outputs` is K, or C where there is no convolution.
template <typename T>
Status CheckLocalTransposedAttention(const LocalTransposedAttentionTensors<T>& tensors,
                                     const NchwShape& x_shape, size_t outputs,
                                     const LocalTransposedAttentionParams& params, const T* y,
                                     const PlanePlace& place = {});

// Attention between channels (Restormer's, Zamir et al., arXiv 2111.09881) in its local form, after
// TLSC (Chu et al., arXiv 2112.04491): each window of LocalWindowPartition attends by itself, and a
// pixel is the mean of what the windows that hold it make of it, as LocalWindowMerge has it.
//
// Of each head, whose queries q, keys k and values v are C / heads rows of pixels of the window:
//
//   a[i, j] = softmax over j of temperature * (q[i] · k[j]) / (|q[i]| * |k[j]|)
//   z[i] = sum over j of a[i, j] * v[j]             lengths |…| of at least epsilon
//
// With a convolution of all C channels of the mean z behind it:
//
//   y[k] = residual[k] + gamma[k] * (bias[k] + sum over c of weights[k, c] * z[c])    else y = z
//
//   T        float or Float16
//   y        [N, K, H, W], or [N, C, H, W]; may be `residual` itself, must not overlap anything
//            otherwise. Tensors are contiguous. Any size may be 0; nothing is done then.
//   loop     runs parts of the plane; the result does not depend on how.
//
// No window is cut out: what windows share is summed once, and their attention is averaged where
// they overlap, and multiplied with the weights, before it meets the values. So a pixel costs what
// it costs without windows, unless these are few pixels large.
//
// Arithmetic is float32, block by block of at most 512 pixels, float64 from 2^15 pixels on: scores
// are within 600 * 2^-24 of the temperature, which a changes by as much of itself; y besides within
// (2 * C + 16) * 2^-24 of the magnitudes that it adds up.
//
// What is not finite among queries and keys reaches every pixel of the windows that hold it; among
// values, the channels of its head, or with a convolution all, of its pixel.
//
// Scratch: a matrix for each head, of C / heads rows of as many elements, rounded up to 64, in each
// window, and in each rectangle that windows cut the plane into, or part of 2^11 to 2^15 pixels of
// it; besides, for each thread, up to half a megabyte, one such matrix, and one of K x C.
//
// Returns kInvalidArgument (bad params, several windows so small that their matrices would take
// more than four times X, a number of channels that is not three times a multiple of heads, a null
// tensor that has elements, sizes beyond memory) before y is touched, kOutOfMemory, or what the
// loop returned.
template <typename T>
Status LocalTransposedAttention(const LocalTransposedAttentionTensors<T>& tensors,
                                const NchwShape& x_shape, size_t outputs,
                                const LocalTransposedAttentionParams& params, ParallelLoop& loop,
                                T* y, const PlanePlace& place = {});

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_H_
