#include <string>

#include "kernels/arguments.h"
#include "kernels/local_group_normalization.h"

namespace tlsc {

Status Validate(const LocalGroupNormalizationParams& params) {
  if (Status status = CheckKernelShape(params.kernel_shape); !status.ok()) return status;
  if (params.num_groups < 1) {
    return InvalidArgument("num_groups", "at least 1", std::to_string(params.num_groups));
  }
  return CheckEpsilon(params.epsilon);
}

Status CheckLocalGroupNormalization(const void* x, const NchwShape& x_shape, const void* scale,
                                    const void* bias, const LocalGroupNormalizationParams& params,
                                    const void* y) {
  if (Status status = Validate(params); !status.ok()) return status;
  const size_t channels = x_shape.channels;
  const auto groups = static_cast<uint64_t>(params.num_groups);
  if (channels % groups != 0) {
    return InvalidArgument("num_groups",
                           "a divisor of the " + std::to_string(channels) + " channels of X",
                           std::to_string(groups));
  }
  return CheckNormTensors(x, x_shape, scale, bias, y);
}

}  // namespace tlsc
