#include "kernels/arguments.h"
#include "kernels/local_instance_normalization.h"

namespace tlsc {

Status Validate(const LocalInstanceNormalizationParams& params) {
  if (Status status = CheckKernelShape(params.kernel_shape); !status.ok()) return status;
  if (Status status = CheckMaxStride(params.max_stride); !status.ok()) return status;
  return CheckEpsilon(params.epsilon);
}

Status CheckLocalInstanceNormalization(const void* x, const NchwShape& x_shape, const void* scale,
                                       const void* bias,
                                       const LocalInstanceNormalizationParams& params,
                                       const void* y) {
  if (Status status = Validate(params); !status.ok()) return status;
  if (Status status = CheckNormTensors(x, x_shape, scale, bias, y); !status.ok()) return status;
  if (*ElementCount(x_shape) == 0) return {};
  return CheckWindow(
      MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate, params.max_stride));
}

}  // namespace tlsc
