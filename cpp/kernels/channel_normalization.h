#ifndef TLSC_KERNELS_CHANNEL_NORMALIZATION_H_
#define TLSC_KERNELS_CHANNEL_NORMALIZATION_H_

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"

namespace tlsc {

struct ChannelNormalizationParams {
  // Whether the mean is taken off, as layer normalization does. Without, a pixel is divided by its
  // deviation where it is: Restormer's norm without bias.
  bool centers = true;
  float epsilon = 1e-5f;  // added to the variance; finite, not negative
};

// What ChannelNormalization would refuse at every call, whatever the tensors.
Status Validate(const ChannelNormalizationParams& params);

// What ChannelNormalization would refuse at a call with these tensors; params included.
Status CheckChannelNormalization(const void* x, const NchwShape& x_shape, const void* scale,
                                 const void* bias, const ChannelNormalizationParams& params,
                                 const void* y);

// Each pixel normalized by the mean and variance of its own channels: layer normalization (Ba et
// al., arXiv 1607.06450) over the channels of an image, as NAFNet and Restormer have it.
//
//   y[c] = (x[c] - mean) / sqrt(variance + epsilon) * scale[c] + bias[c]
//
// mean and variance (divided by C, not one less) are those of x[0] … x[C - 1] at the same pixel;
// without `centers` it is x[c] alone that is divided.
//
//   T        float or Float16
//   x        [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   scale    [C]
//   bias     [C], or null for none; `B` in ONNX
//   y        [N, C, H, W], contiguous; must not overlap scale or bias. May be x itself, but must
//            not overlap it otherwise.
//   loop     runs blocks of pixels; the result does not depend on how.
//
// Error: within 1e-6 * (1 + sqrt(C) / 16) of the larger of |scale| and |y - bias|, besides the
// rounding of y, as long as no value lies farther from 0 than 1e5 * sqrt(variance + epsilon), and
// sums of values and of their squared differences stay inside float32's range. (Arithmetic is
// float32, of differences to the mean; what rounding has cut off of that is made up for.)
//
// A NaN or infinity makes all channels of its pixel NaN, and no other pixel.
//
// Memory is read once and written once. Scratch: up to 241 KiB, or 320 bytes per channel where
// there are more than 768, that each thread keeps for its next call.
//
// Returns kInvalidArgument (an epsilon that is negative or not finite, a null tensor that has
// elements, sizes beyond memory) before y is touched, kOutOfMemory, or what the loop returned.
template <typename T>
Status ChannelNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                            const ChannelNormalizationParams& params, ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_CHANNEL_NORMALIZATION_H_
