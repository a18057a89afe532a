#ifndef TLSC_CUDA_NORMALIZATIONS_H_
#define TLSC_CUDA_NORMALIZATIONS_H_

#include "cuda/launch.h"
#include "kernels/local_group_normalization.h"
#include "kernels/local_instance_normalization.h"

namespace tlsc::cuda {

// tlsc::LocalInstanceNormalization of tensors on the card: the same contract, but that it is
// enqueued, and errors of the card show later. Scratch: a 16th of the elements of x, 8 bytes each.
template <typename T>
Status LocalInstanceNormalization(const T* x, const NchwShape& x_shape, const T* scale,
                                  const T* bias, const LocalInstanceNormalizationParams& params,
                                  Launch& launch, T* y);

// tlsc::LocalGroupNormalization, likewise; the scratch is divided by the channels of a group.
template <typename T>
Status LocalGroupNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                               const LocalGroupNormalizationParams& params, Launch& launch, T* y);

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_NORMALIZATIONS_H_
