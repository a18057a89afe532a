#include "kernels/local_group_normalization.h"

#include <string>

#include "kernels/arguments.h"
#include "kernels/normalize_groups.h"

namespace tlsc {

Status Validate(const LocalGroupNormalizationParams& params) {
  if (Status status = CheckKernelShape(params.kernel_shape); !status.ok()) return status;
  if (params.num_groups < 1) {
    return InvalidArgument("num_groups", "at least 1", std::to_string(params.num_groups));
  }
  return CheckEpsilon(params.epsilon);
}

template <typename T>
Status LocalGroupNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                               const LocalGroupNormalizationParams& params, ParallelLoop& loop,
                               T* y) {
  if (Status status = Validate(params); !status.ok()) return status;
  const size_t channels = x_shape.channels;
  const auto groups = static_cast<uint64_t>(params.num_groups);
  if (channels % groups != 0) {
    return InvalidArgument("num_groups",
                           "a divisor of the " + std::to_string(channels) + " channels of X",
                           std::to_string(groups));
  }
  if (Status status = CheckNormTensors(x, x_shape, scale, bias, y); !status.ok()) return status;
  if (*ElementCount(x_shape) == 0) return {};
  return NormalizeGroups(x, x_shape, static_cast<size_t>(channels / groups), scale, bias,
                         MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate),
                         params.epsilon, loop, y);
}

template Status LocalGroupNormalization(const float*, const NchwShape&, const float*, const float*,
                                        const LocalGroupNormalizationParams&, ParallelLoop&,
                                        float*);
template Status LocalGroupNormalization(const Float16*, const NchwShape&, const Float16*,
                                        const Float16*, const LocalGroupNormalizationParams&,
                                        ParallelLoop&, Float16*);

}  // namespace tlsc
