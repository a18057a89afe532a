#ifndef TLSC_CUDA_REPLICATE_SCALE_H_
#define TLSC_CUDA_REPLICATE_SCALE_H_

#include "cuda/launch.h"
#include "kernels/replicate_scale.h"

namespace tlsc::cuda {

// tlsc::ReplicateScale of tensors on the card: the same contract, but that it is enqueued, and
// errors of the card show later. No scratch.
template <typename T>
Status ReplicateScale(const T* x, const NchwShape& x_shape, const T* s, const NchwShape& s_shape,
                      Launch& launch, T* y);

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_REPLICATE_SCALE_H_
