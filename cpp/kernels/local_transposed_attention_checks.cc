#include <string>

#include "kernels/arguments.h"
#include "kernels/local_transposed_attention.h"
#include "kernels/local_windows.h"

namespace tlsc {

Status Validate(const LocalTransposedAttentionParams& params) {
  if (Status status = CheckKernelShape(params.kernel_shape); !status.ok()) return status;
  if (Status status = CheckEpsilon(params.epsilon); !status.ok()) return status;
  if (params.heads >= 1) return {};
  return InvalidArgument("temperature", "one element or more", "none");
}

template <typename T>
Status CheckLocalTransposedAttention(const LocalTransposedAttentionTensors<T>& t,
                                     const NchwShape& x_shape, size_t outputs,
                                     const LocalTransposedAttentionParams& params, const T* y,
                                     const PlanePlace& place) {
  const size_t heads = params.heads;
  const size_t channels = x_shape.channels / 3;
  if (Status status = Validate(params); !status.ok()) return status;
  if (x_shape.channels % 3 != 0 || channels % heads != 0) {
    return InvalidArgument("X", "three times a multiple of " + std::to_string(heads) + " channels",
                           std::to_string(x_shape.channels));
  }
  // The windows of all of X, which are never made, are a limit that no tensor comes near.
  if (Status status = ValidateLocalWindowPartition(x_shape, params.kernel_shape, place);
      !status.ok()) {
    return status;
  }
  const NchwShape y_shape = {x_shape.batch, outputs, x_shape.height, x_shape.width};
  if (Status status = CheckAddressable("Y", y_shape); !status.ok()) return status;
  const size_t elements = *ElementCount(y_shape);
  if (elements == 0) return {};
  // One without elements may be null, too.
  if (t.residual == nullptr && outputs != channels) {
    return InvalidArgument("Y", std::to_string(channels) + " channels", std::to_string(outputs));
  }
  if (Status status = CheckPointer("X", t.x, *ElementCount(x_shape)); !status.ok()) return status;
  if (Status status = CheckPointer("temperature", t.temperature, heads); !status.ok())
    return status;
  if (t.residual != nullptr) {
    if (Status status = CheckAddressable("W", {outputs, channels, 1, 1}); !status.ok())
      return status;
    if (Status status = CheckPointer("W", t.weights, outputs * channels); !status.ok())
      return status;
    if (Status status = CheckPointer("B", t.bias, outputs); !status.ok()) return status;
    if (Status status = CheckPointer("gamma", t.gamma, outputs); !status.ok()) return status;
  }
  return CheckPointer("Y", y, elements);
}

template Status CheckLocalTransposedAttention(const LocalTransposedAttentionTensors<float>&,
                                              const NchwShape&, size_t,
                                              const LocalTransposedAttentionParams&, const float*,
                                              const PlanePlace&);
template Status CheckLocalTransposedAttention(const LocalTransposedAttentionTensors<Float16>&,
                                              const NchwShape&, size_t,
                                              const LocalTransposedAttentionParams&, const Float16*,
                                              const PlanePlace&);

}  // namespace tlsc
