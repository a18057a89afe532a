#include "kernels/depthwise_conv.h"

#include "cuda/depthwise_conv_body.h"
#include "cuda/emulation/emulation.h"

namespace tlsc {

template <typename T>
Status DepthwiseConv(const T* x, const NchwShape& x_shape, const T* weights, const T* bias,
                     Gate gate, ParallelLoop& loop, T* y) {
  if (Status status = CheckDepthwiseConv(x, x_shape, weights, bias, gate, y); !status.ok())
    return status;
  const size_t elements = *ElementCount(DepthwiseConvShape(x_shape, gate));
  if (elements == 0) return {};
  const auto of = cuda::MakeDepthwiseArguments(x, x_shape, weights, bias, gate, y);
  return cuda::EmulateElements(of, elements, loop);
}

template Status DepthwiseConv(const float*, const NchwShape&, const float*, const float*, Gate,
                              ParallelLoop&, float*);
template Status DepthwiseConv(const Float16*, const NchwShape&, const Float16*, const Float16*,
                              Gate, ParallelLoop&, Float16*);

}  // namespace tlsc
