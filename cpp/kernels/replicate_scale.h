#ifndef TLSC_KERNELS_REPLICATE_SCALE_H_
#define TLSC_KERNELS_REPLICATE_SCALE_H_

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

// What ReplicateScale would refuse at every call with these shapes.
Status ValidateReplicateScale(const NchwShape& x_shape, const NchwShape& s_shape);

// The shape of y. The shapes must be valid together.
NchwShape ReplicateScaleShape(const NchwShape& x_shape, const NchwShape& s_shape);

// What ReplicateScale would refuse at a call with these tensors; shapes included.
Status CheckReplicateScale(const void* x, const NchwShape& x_shape, const void* s,
                           const NchwShape& s_shape, const void* y);

// The positions of a window whose outputs are the planes of X, for each of which S has a value. The
// shapes must be valid together and not empty.
Window ReplicateScaleWindow(const NchwShape& x_shape, const NchwShape& s_shape);

// X times S, which is replicate-padded to the planes of X on the way:
//
//   y[i, j] = x[i, j] · s[clamp(i - (H - h) / 2, 0, h - 1), clamp(j - (W - w) / 2, 0, w - 1)],
//
// divisions rounded down. With S computed pixel by pixel from the valid form of LocalAveragePool,
// of size H - kh + 1 by W - kw + 1, this is X times what the replicate form would have led to:
// padding by repetition commutes with everything that treats pixels one by one.
//
//   T        float or Float16
//   x        [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   s        [N, C, h, w], contiguous; 1 <= h <= H and 1 <= w <= W, or 0 where H or W is.
//            N and C may also be 1 in x or in s, which then serves every image or channel of the
//            other, as in ONNX's Mul.
//   y        contiguous, of ReplicateScaleShape(x_shape, s_shape); must not overlap x or s.
//   loop     runs the rows; the result does not depend on how.
//
// Every element is one IEEE product, rounded once (of float16 values: the float32 product,
// rounded); what is not finite goes where that takes it.
//
// No scratch.
//
// Returns kInvalidArgument (shapes that do not fit each other, a null tensor that has elements,
// sizes beyond memory) before y is touched, or what the loop returned.
template <typename T>
Status ReplicateScale(const T* x, const NchwShape& x_shape, const T* s, const NchwShape& s_shape,
                      ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_REPLICATE_SCALE_H_
