#ifndef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_LEAKY_RELU_H_
#define TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_LEAKY_RELU_H_

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/local_instance_normalization.h"

namespace tlsc {

// What LocalInstanceNormalizationLeakyRelu would refuse at every call, besides bad params.
Status ValidateAlpha(float alpha);

// What LocalInstanceNormalizationLeakyRelu would refuse at a call with these tensors; params
// included.
Status CheckLocalInstanceNormalizationLeakyRelu(const void* x, const NchwShape& x_shape,
                                                size_t normalized, const void* scale,
                                                const void* bias,
                                                const LocalInstanceNormalizationParams& params,
                                                float alpha, const void* y);

// LocalInstanceNormalization of the first channels of each image, the others as they are, and
// LeakyRelu of all: what HINet (Chen et al., arXiv 2105.06086) has between two convolutions.
//
//   y = v where v >= 0, else alpha * v       v: the normalized pixel, or the pixel
//
//   T           float or Float16
//   x           [N, C, H, W], contiguous. Any size may be 0; nothing is done then.
//   normalized  how many channels are; C at most
//   scale       [normalized]
//   bias        [normalized]; `B` in ONNX
//   alpha       finite; 1 for no LeakyRelu
//   y           [N, C, H, W], contiguous; must not overlap x, scale or bias.
//   loop        runs the planes; the result does not depend on how.
//
// Errors, NaN and infinity, time and scratch: as of LocalInstanceNormalization, the error times
// alpha below 0. Of other channels a pixel is what it is, times alpha or not.
//
// Returns kInvalidArgument (as there; more normalized channels than there are, an alpha that is not
// finite) before y is touched, kOutOfMemory, or what the loop returned.
template <typename T>
Status LocalInstanceNormalizationLeakyRelu(const T* x, const NchwShape& x_shape, size_t normalized,
                                           const T* scale, const T* bias,
                                           const LocalInstanceNormalizationParams& params,
                                           float alpha, ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_LEAKY_RELU_H_
