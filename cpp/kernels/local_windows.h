#ifndef TLSC_KERNELS_LOCAL_WINDOWS_H_
#define TLSC_KERNELS_LOCAL_WINDOWS_H_

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

// Cuts images into windows, and puts windows together to images again. What runs in between sees a
// window as an image of its own: the local form of attention between channels (Restormer), which
// sums over the whole plane, after TLSC (Chu et al., arXiv 2112.04491).
//
// Along an axis of length L windows of length k' = min(k, L) lie at 0, s, 2s, … and, the last one,
// at L - k'; there are R = ceil(L / k') of them, and s = ceil((L - k') / (R - 1)).
//
// Images may be pieces of larger ones, all at the same `place`. Their windows are those of the
// larger image that lie in the piece; at a border of the piece that cuts windows in two, one more
// lies within it along that border. A piece must be no smaller than a window.
namespace tlsc {

// What LocalWindowPartition would refuse at every call, whatever the tensor.
Status ValidateLocalWindowPartition(const KernelShape& kernel_shape);

// The same for tensors of this shape: besides the former, sizes beyond memory, and more windows
// than can be counted, as images without pixels may lead to.
Status ValidateLocalWindowPartition(const NchwShape& x_shape, const KernelShape& kernel_shape,
                                    const PlanePlace& place = {});

// The shape of y: [N·R·Q, C, kh', kw'] for R windows down and Q across. The arguments must be
// valid.
NchwShape LocalWindowPartitionShape(const NchwShape& x_shape, const KernelShape& kernel_shape,
                                    const PlanePlace& place = {});

// What LocalWindowPartition would refuse at a call with these tensors; kernel_shape included.
Status CheckLocalWindowPartition(const void* x, const NchwShape& x_shape,
                                 const KernelShape& kernel_shape, const void* y,
                                 const PlanePlace& place = {});

// Image (n·R + r)·Q + q of y is window r down, q across of image n of x.
//
//   T        float or Float16
//   x        [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   y        contiguous, of LocalWindowPartitionShape(x_shape, kernel_shape); must not overlap x.
//   loop     runs the rows; the result does not depend on how.
//
// Elements are copied bit by bit. No scratch.
//
// Returns kInvalidArgument (a kernel_shape below 1, a null tensor that has elements, sizes beyond
// memory) before y is touched, or what the loop returned.
template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            ParallelLoop& loop, T* y, const PlanePlace& place = {});

// What LocalWindowMerge would refuse at every call with these shapes.
Status ValidateLocalWindowMerge(const NchwShape& p_shape, const NchwShape& x_shape,
                                const PlanePlace& place = {});

// What LocalWindowMerge would refuse at a call with these tensors; shapes included.
Status CheckLocalWindowMerge(const void* p, const NchwShape& p_shape, const NchwShape& x_shape,
                             const void* y, const PlanePlace& place = {});

// The inverse: each pixel of y is the mean of what the windows that hold it have there; those along
// the borders of a piece count where no others do.
//
//   T        float or Float16
//   p        [N·R·Q, C, kh', kw'], contiguous: the windows of an image of shape x_shape, as
//            LocalWindowPartition orders them. Any size may be 0; nothing is done then.
//   x_shape  [N, C, H, W]
//   y        [N, C, H, W], contiguous; must not overlap p.
//   loop     runs the rows; the result does not depend on how.
//
// Where one window holds a pixel, its value is copied. Sums and quotients are float32, or float64
// where a sum leaves float32's range, the result rounded to T: of up to nine values it lies within
// 1e-6 of their magnitude, besides that rounding.
// What is not finite reaches the pixels that it stands at, and no others. No scratch.
//
// Returns kInvalidArgument (shapes that do not fit each other, a null tensor that has elements,
// sizes beyond memory) before y is touched, or what the loop returned.
template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        ParallelLoop& loop, T* y, const PlanePlace& place = {});

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_WINDOWS_H_
