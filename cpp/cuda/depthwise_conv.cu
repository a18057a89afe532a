#include "cuda/depthwise_conv.h"
#include "cuda/depthwise_conv_body.h"
#include "cuda/element_launch.cuh"

namespace tlsc::cuda {

template <typename T>
Status DepthwiseConv(const T* x, const NchwShape& x_shape, const T* weights, const T* bias,
                     Gate gate, Launch& launch, T* y) {
  if (Status status = CheckDepthwiseConv(x, x_shape, weights, bias, gate, y); !status.ok())
    return status;
  const size_t elements = *ElementCount(DepthwiseConvShape(x_shape, gate));
  if (elements == 0) return {};
  return LaunchElements(MakeDepthwiseArguments(x, x_shape, weights, bias, gate, y), elements,
                        launch);
}

template Status DepthwiseConv(const float*, const NchwShape&, const float*, const float*, Gate,
                              Launch&, float*);
template Status DepthwiseConv(const Float16*, const NchwShape&, const Float16*, const Float16*,
                              Gate, Launch&, Float16*);

}  // namespace tlsc::cuda
