#include <string>

#include "kernels/arguments.h"
#include "kernels/pointwise_conv.h"

namespace tlsc {

NchwShape PointwiseConvShape(const NchwShape& x_shape, size_t outputs,
                             const PointwiseConvParams& params) {
  return {x_shape.batch, params.gates ? outputs / 2 : outputs, x_shape.height, x_shape.width};
}

template <typename T>
Status CheckPointwiseConv(const PointwiseConvTensors<T>& t, const NchwShape& x_shape,
                          size_t outputs, const PointwiseConvParams& params, const T* y) {
  if (Status status = Validate(params.norm); !status.ok()) return status;
  if (params.gates && outputs % 2 != 0) {
    return InvalidArgument("W", "an even number of outputs", std::to_string(outputs));
  }
  if (Status status = CheckAddressable(x_shape); !status.ok()) return status;
  const NchwShape y_shape = PointwiseConvShape(x_shape, outputs, params);
  if (Status status = CheckAddressable("Y", y_shape); !status.ok()) return status;
  if (Status status = CheckAddressable("W", {outputs, x_shape.channels, 1, 1}); !status.ok())
    return status;
  const size_t channels = x_shape.channels;
  const size_t elements = *ElementCount(y_shape);
  if (elements == 0) return {};
  if (Status status = CheckPointer("X", t.x, *ElementCount(x_shape)); !status.ok()) return status;
  if (params.normalizes) {
    if (Status status = CheckPointer("scale", t.scale, channels); !status.ok()) return status;
  }
  if (Status status = CheckPointer("W", t.weights, outputs * channels); !status.ok()) return status;
  if (Status status = CheckPointer("B", t.bias, outputs); !status.ok()) return status;
  if (t.residual != nullptr) {
    if (Status status = CheckPointer("gamma", t.gamma, y_shape.channels); !status.ok())
      return status;
  }
  return CheckPointer("Y", y, elements);
}

template Status CheckPointwiseConv(const PointwiseConvTensors<float>&, const NchwShape&, size_t,
                                   const PointwiseConvParams&, const float*);
template Status CheckPointwiseConv(const PointwiseConvTensors<Float16>&, const NchwShape&, size_t,
                                   const PointwiseConvParams&, const Float16*);

}  // namespace tlsc
