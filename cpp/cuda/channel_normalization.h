#ifndef TLSC_CUDA_CHANNEL_NORMALIZATION_H_
#define TLSC_CUDA_CHANNEL_NORMALIZATION_H_

#include "cuda/launch.h"
#include "kernels/channel_normalization.h"

namespace tlsc::cuda {

// tlsc::ChannelNormalization of tensors on the card: the same contract, but that it is enqueued,
// and errors of the card show later. No scratch; what the card's caches do not hold of a pixel's
// channels is read three times.
template <typename T>
Status ChannelNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                            const ChannelNormalizationParams& params, Launch& launch, T* y);

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_CHANNEL_NORMALIZATION_H_
