#ifndef TLSC_KERNELS_LOCAL_AVERAGE_POOL_H_
#define TLSC_KERNELS_LOCAL_AVERAGE_POOL_H_

#include <optional>

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

struct LocalAveragePoolParams {
  KernelShape kernel_shape;
  Padding padding = Padding::kReplicate;
  std::optional<MaxStride> max_stride = {};  // fast mode
};

// What LocalAveragePool would refuse at every call, whatever the tensors.
Status Validate(const LocalAveragePoolParams& params);

// The shape of y. params must be valid.
NchwShape LocalAveragePoolShape(const NchwShape& x_shape, const LocalAveragePoolParams& params);

// What LocalAveragePool would refuse at a call with these tensors; params included.
Status CheckLocalAveragePool(const void* x, const NchwShape& x_shape,
                             const LocalAveragePoolParams& params, const void* y);

// The mean of each plane over a window that slides by one pixel: the local counterpart of a global
// average pool, after TLSC (Chu et al., arXiv 2112.04491).
//
// With [kh, kw] = kernel_shape, cut down to the plane where it is larger, and V[i, j] the mean of
// x[i … i + kh - 1, j … j + kw - 1]:
//   valid      y[i, j] = V[i, j], of height H - kh + 1 and width W - kw + 1;
//   replicate  y[i, j] = V[clamp(i - (kh - 1) / 2, 0, H - kh), clamp(j - (kw - 1) / 2, 0, W - kw)],
//              of height H and width W, divisions rounded down.
//
// With max_stride = [m1, m2], fast mode: the published approximation, for those who must match its
// numbers. r1 is the largest of 5, 4, 3, 2, 1 that divides H, but no more than m1, r2 likewise; of
// the plane, every r1-th row and every r2-th column is taken, but the first of each left out, and V
// is the mean over windows of [kh / r1, kw / r2] of these, or of as many as there are. Each value
// of V is repeated r1 times down and r2 times across; of the replicate form this is the middle, (H
// - its height) / 2 rows down and (W - its width) / 2 columns to the right. A window that covers
// the plane gives the mean of all its pixels.
//
//   T        float or Float16
//   x        [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   y        contiguous, of LocalAveragePoolShape(x_shape, params); must not overlap x.
//   loop     runs the planes; the result does not depend on how.
//
// Error: float32 within 1e-6 of the largest magnitude in the plane, on planes up to 2160 × 3840 at
// least (sums are float64; what is seen is the rounding of y, and all that is seen in float16). A
// plane of one finite value gives exactly that value.
//
// A NaN or infinity reaches the outputs whose window holds it, with the value that the mean has
// then, and no others. (A plane that holds one is gone over again.)
//
// Time per pixel does not depend on the window. Scratch: three rows (20 bytes per pixel of
// width) that each thread keeps for its next call.
//
// Returns kInvalidArgument (a kernel_shape or max_stride below 1, in fast mode a plane or window
// too small to leave a sample, a null tensor that has elements, sizes beyond memory) before y is
// touched, kOutOfMemory, or what the loop returned.
template <typename T>
Status LocalAveragePool(const T* x, const NchwShape& x_shape, const LocalAveragePoolParams& params,
                        ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_AVERAGE_POOL_H_
