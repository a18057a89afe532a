#include "cuda/channel_normalization.h"

#include "cuda/card/card.h"

namespace tlsc {

template <typename T>
Status ChannelNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                            const ChannelNormalizationParams& params, ParallelLoop& loop, T* y) {
  if (Status status = CheckChannelNormalization(x, x_shape, scale, bias, params, y); !status.ok())
    return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  const size_t channels = x_shape.channels;
  return cuda::RunOnCard<T>(
      loop, {{x, elements}, {scale, channels}, {bias, bias == nullptr ? 0 : channels}}, y, elements,
      [&](cuda::Launch& launch, const auto& in, T* card_y) {
        return cuda::ChannelNormalization(in[0], x_shape, in[1], bias == nullptr ? nullptr : in[2],
                                          params, launch, card_y);
      });
}

template Status ChannelNormalization(const float*, const NchwShape&, const float*, const float*,
                                     const ChannelNormalizationParams&, ParallelLoop&, float*);
template Status ChannelNormalization(const Float16*, const NchwShape&, const Float16*,
                                     const Float16*, const ChannelNormalizationParams&,
                                     ParallelLoop&, Float16*);

}  // namespace tlsc
