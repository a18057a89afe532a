#include <cmath>
#include <string>

#include "kernels/arguments.h"
#include "kernels/local_instance_normalization_leaky_relu.h"

namespace tlsc {

Status ValidateAlpha(float alpha) {
  if (std::isfinite(alpha)) return {};
  return InvalidArgument("alpha", "a finite value", std::to_string(alpha));
}

Status CheckLocalInstanceNormalizationLeakyRelu(const void* x, const NchwShape& x_shape,
                                                size_t normalized, const void* scale,
                                                const void* bias,
                                                const LocalInstanceNormalizationParams& params,
                                                float alpha, const void* y) {
  if (Status status = ValidateAlpha(alpha); !status.ok()) return status;
  if (normalized > x_shape.channels) {
    return InvalidArgument(
        "scale",
        "no more than the channels of X, " + std::to_string(x_shape.channels) + ", of elements",
        std::to_string(normalized));
  }
  // Of all channels, as if there were a scale for each.
  if (Status status = CheckLocalInstanceNormalization(x, x_shape, "", "", params, y); !status.ok())
    return status;
  if (*ElementCount(x_shape) == 0) return {};
  if (Status status = CheckPointer("scale", scale, normalized); !status.ok()) return status;
  return CheckPointer("B", bias, normalized);
}

}  // namespace tlsc
