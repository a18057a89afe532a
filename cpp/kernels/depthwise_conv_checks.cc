#include <string>

#include "kernels/arguments.h"
#include "kernels/depthwise_conv.h"

namespace tlsc {

NchwShape DepthwiseConvShape(const NchwShape& x_shape, Gate gate) {
  NchwShape shape = x_shape;
  if (gate != Gate::kNone) shape.channels /= 2;
  return shape;
}

Status CheckDepthwiseConv(const void* x, const NchwShape& x_shape, const void* weights,
                          const void* bias, Gate gate, const void* y) {
  const size_t channels = x_shape.channels;
  if (gate != Gate::kNone && channels % 2 != 0) {
    return InvalidArgument("X", "an even number of channels", std::to_string(channels));
  }
  if (Status status = CheckAddressable(x_shape); !status.ok()) return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  if (Status status = CheckPointer("X", x, elements); !status.ok()) return status;
  if (Status status = CheckPointer("W", weights, 9 * channels); !status.ok()) return status;
  if (Status status = CheckPointer("B", bias, channels); !status.ok()) return status;
  return CheckPointer("Y", y, *ElementCount(DepthwiseConvShape(x_shape, gate)));
}

}  // namespace tlsc
