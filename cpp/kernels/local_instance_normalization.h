#ifndef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_H_
#define TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_H_

#include <optional>

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

struct LocalInstanceNormalizationParams {
  KernelShape kernel_shape;
  float epsilon = 1e-5f;                     // added to the variance; finite, not negative
  std::optional<MaxStride> max_stride = {};  // fast mode, as of LocalAveragePool
};

// What LocalInstanceNormalization would refuse at every call, whatever the tensors.
Status Validate(const LocalInstanceNormalizationParams& params);

// What LocalInstanceNormalization would refuse at a call with these tensors; params included.
Status CheckLocalInstanceNormalization(const void* x, const NchwShape& x_shape, const void* scale,
                                       const void* bias,
                                       const LocalInstanceNormalizationParams& params,
                                       const void* y);

// Each pixel normalised by the mean and variance of the window around it: the local counterpart of
// instance normalisation, after TLSC (Chu et al., arXiv 2112.04491).
//
//   y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c]
//
// mean and variance (divided by the number of pixels, not one less) are those of the window that
// LocalAveragePool with replicate padding (local_average_pool.h) uses for the same pixel; in fast
// mode, of those of its pixels that it takes.
//
//   T        float or Float16
//   x        [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   scale    [C]
//   bias     [C]; `B` in ONNX
//   y        [N, C, H, W], contiguous; must not overlap x, scale or bias.
//   loop     runs the planes; the result does not depend on how.
//
// Error: within 1e-5 of the larger of |scale| and |y - bias|, besides the rounding of y, as long as
// no value of the plane lies farther from its first value than 1e4 * sqrt(variance + epsilon).
// (Sums are float64, taken of the difference to that first value: this is what keeps a faint
// texture on a bright plane.) A plane of one finite value gives exactly bias if epsilon > 0; with
// epsilon = 0 a window of one value gives what the formula says, 0 / 0.
//
// A NaN or infinity makes the outputs whose window holds it NaN, and no others. (A plane that holds
// one is gone over again; so is one whose deviations or outputs float32 has no room for, in
// float64.)
//
// Time per pixel does not depend on the window. Scratch: seven rows (44 bytes per pixel of
// width) that each thread keeps for its next call.
//
// Returns kInvalidArgument (a kernel_shape or max_stride below 1, in fast mode a plane or window
// too small to leave a sample, an epsilon that is negative or not finite, a null tensor that has
// elements, sizes beyond memory) before y is touched, kOutOfMemory, or what the loop returned.
template <typename T>
Status LocalInstanceNormalization(const T* x, const NchwShape& x_shape, const T* scale,
                                  const T* bias, const LocalInstanceNormalizationParams& params,
                                  ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_H_
