#ifndef TLSC_CUDA_DEPTHWISE_CONV_H_
#define TLSC_CUDA_DEPTHWISE_CONV_H_

#include "cuda/launch.h"
#include "kernels/depthwise_conv.h"

namespace tlsc::cuda {

// tlsc::DepthwiseConv of tensors on the card: the same contract, but that it is enqueued, and
// errors of the card show later. No scratch.
template <typename T>
Status DepthwiseConv(const T* x, const NchwShape& x_shape, const T* weights, const T* bias,
                     Gate gate, Launch& launch, T* y);

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_DEPTHWISE_CONV_H_
