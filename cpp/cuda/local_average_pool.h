#ifndef TLSC_CUDA_LOCAL_AVERAGE_POOL_H_
#define TLSC_CUDA_LOCAL_AVERAGE_POOL_H_

#include "cuda/launch.h"
#include "kernels/local_average_pool.h"

namespace tlsc::cuda {

// tlsc::LocalAveragePool of tensors on the card: the same contract, but that it is enqueued, and
// errors of the card show later. Scratch: a 32nd of the elements of x, 8 bytes each.
template <typename T>
Status LocalAveragePool(const T* x, const NchwShape& x_shape, const LocalAveragePoolParams& params,
                        Launch& launch, T* y);

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_LOCAL_AVERAGE_POOL_H_
