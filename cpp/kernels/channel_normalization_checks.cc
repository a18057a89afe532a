#include "kernels/arguments.h"
#include "kernels/channel_normalization.h"

namespace tlsc {

Status Validate(const ChannelNormalizationParams& params) { return CheckEpsilon(params.epsilon); }

Status CheckChannelNormalization(const void* x, const NchwShape& x_shape, const void* scale,
                                 const void* bias, const ChannelNormalizationParams& params,
                                 const void* y) {
  if (Status status = Validate(params); !status.ok()) return status;
  // There need be no bias.
  return CheckNormTensors(x, x_shape, scale, bias == nullptr ? scale : bias, y);
}

}  // namespace tlsc
