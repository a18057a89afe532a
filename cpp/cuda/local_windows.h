#ifndef TLSC_CUDA_LOCAL_WINDOWS_H_
#define TLSC_CUDA_LOCAL_WINDOWS_H_

#include "cuda/launch.h"
#include "kernels/local_windows.h"

// The operators of kernels/local_windows.h on tensors on the card: the same contracts, but that
// they are enqueued, and errors of the card show later. No scratch.
namespace tlsc::cuda {

template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            Launch& launch, T* y, const PlanePlace& place = {});

template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        Launch& launch, T* y, const PlanePlace& place = {});

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_LOCAL_WINDOWS_H_
