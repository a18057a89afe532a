#ifndef TLSC_KERNELS_LOCAL_GROUP_NORMALIZATION_H_
#define TLSC_KERNELS_LOCAL_GROUP_NORMALIZATION_H_

#include <cstdint>

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

struct LocalGroupNormalizationParams {
  KernelShape kernel_shape;
  int64_t num_groups;     // at least 1; divides the channels
  float epsilon = 1e-5f;  // added to the variance; finite, not negative
};

// What LocalGroupNormalization would refuse at every call, whatever the tensors.
Status Validate(const LocalGroupNormalizationParams& params);

// What LocalGroupNormalization would refuse at a call with these tensors; params included.
Status CheckLocalGroupNormalization(const void* x, const NchwShape& x_shape, const void* scale,
                                    const void* bias, const LocalGroupNormalizationParams& params,
                                    const void* y);

// Each pixel normalised by the mean and variance of the window around it in all channels of its
// group: the local counterpart of group normalisation, as TLSC (Chu et al., arXiv 2112.04491) makes
// one of instance normalisation.
//
//   y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c]
//
// Group g is the channels from g * C / num_groups up to, but not including,
// (g + 1) * C / num_groups. mean and variance (divided by the number of values, not one less) are
// those of the window that LocalAveragePool with replicate padding (local_average_pool.h) uses for
// the same pixel, over all channels of the group together. With num_groups = C this is
// LocalInstanceNormalization, to the bit. There is no fast mode: none was published.
//
//   T        float or Float16
//   x        [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   scale    [C]
//   bias     [C]; `B` in ONNX
//   y        [N, C, H, W], contiguous; must not overlap x, scale or bias.
//   loop     runs the groups; the result does not depend on how.
//
// Error: within 1e-5 of the larger of |scale| and |y - bias|, besides the rounding of y, as long as
// no value of the group lies farther from the mean of its planes' first values than
// 1e4 * sqrt(variance + epsilon). (Sums are float64, taken of the difference to that mean: this is
// what keeps a faint texture on bright planes. That channels differ costs nothing: their distances
// are part of the variance.) Planes that all hold one finite value give exactly bias if
// epsilon > 0; with epsilon = 0 a window of one value gives what the formula says, 0 / 0.
//
// A NaN or infinity makes the outputs of its group whose window holds it NaN, and no others. (A
// group that holds one is gone over again; so is one whose deviations or outputs float32 has no
// room for, in float64.)
//
// Time per pixel does not depend on the window. Scratch: seven rows (44 bytes per pixel of
// width, however many the channels) that each thread keeps for its next call.
//
// Returns kInvalidArgument (a kernel_shape or num_groups below 1, num_groups that does not divide
// the channels, an epsilon that is negative or not finite, a null tensor that has elements, sizes
// beyond memory) before y is touched, kOutOfMemory, or what the loop returned.
template <typename T>
Status LocalGroupNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                               const LocalGroupNormalizationParams& params, ParallelLoop& loop,
                               T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_GROUP_NORMALIZATION_H_
