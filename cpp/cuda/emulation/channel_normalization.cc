#include "kernels/channel_normalization.h"

#include "cuda/channel_normalization_body.h"
#include "cuda/emulation/emulation.h"

namespace tlsc {

template <typename T>
Status ChannelNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                            const ChannelNormalizationParams& params, ParallelLoop& loop, T* y) {
  if (Status status = CheckChannelNormalization(x, x_shape, scale, bias, params, y); !status.ok())
    return status;
  if (*ElementCount(x_shape) == 0) return {};
  const auto of = cuda::MakeChannelArguments(x, x_shape, scale, bias, params, y);
  return cuda::EmulateElements(of, cuda::PixelCount(x_shape), loop);
}

template Status ChannelNormalization(const float*, const NchwShape&, const float*, const float*,
                                     const ChannelNormalizationParams&, ParallelLoop&, float*);
template Status ChannelNormalization(const Float16*, const NchwShape&, const Float16*,
                                     const Float16*, const ChannelNormalizationParams&,
                                     ParallelLoop&, Float16*);

}  // namespace tlsc
