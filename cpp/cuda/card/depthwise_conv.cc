#include "cuda/depthwise_conv.h"

#include "cuda/card/card.h"

namespace tlsc {

template <typename T>
Status DepthwiseConv(const T* x, const NchwShape& x_shape, const T* weights, const T* bias,
                     Gate gate, ParallelLoop& loop, T* y) {
  if (Status status = CheckDepthwiseConv(x, x_shape, weights, bias, gate, y); !status.ok())
    return status;
  const size_t elements = *ElementCount(DepthwiseConvShape(x_shape, gate));
  if (elements == 0) return {};
  const size_t channels = x_shape.channels;
  return cuda::RunOnCard<T>(
      loop, {{x, *ElementCount(x_shape)}, {weights, 9 * channels}, {bias, channels}}, y, elements,
      [&](cuda::Launch& launch, const auto& in, T* card_y) {
        return cuda::DepthwiseConv(in[0], x_shape, in[1], in[2], gate, launch, card_y);
      });
}

template Status DepthwiseConv(const float*, const NchwShape&, const float*, const float*, Gate,
                              ParallelLoop&, float*);
template Status DepthwiseConv(const Float16*, const NchwShape&, const Float16*, const Float16*,
                              Gate, ParallelLoop&, Float16*);

}  // namespace tlsc
