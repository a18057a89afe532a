#include "cuda/channel_normalization.h"
#include "cuda/channel_normalization_body.h"
#include "cuda/element_launch.cuh"

namespace tlsc::cuda {

template <typename T>
Status ChannelNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                            const ChannelNormalizationParams& params, Launch& launch, T* y) {
  if (Status status = CheckChannelNormalization(x, x_shape, scale, bias, params, y); !status.ok())
    return status;
  if (*ElementCount(x_shape) == 0) return {};
  return LaunchElements(MakeChannelArguments(x, x_shape, scale, bias, params, y),
                        PixelCount(x_shape), launch);
}

template Status ChannelNormalization(const float*, const NchwShape&, const float*, const float*,
                                     const ChannelNormalizationParams&, Launch&, float*);
template Status ChannelNormalization(const Float16*, const NchwShape&, const Float16*,
                                     const Float16*, const ChannelNormalizationParams&, Launch&,
                                     Float16*);

}  // namespace tlsc::cuda
