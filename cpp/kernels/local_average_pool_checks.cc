#include "kernels/arguments.h"
#include "kernels/local_average_pool.h"

namespace tlsc {

Status Validate(const LocalAveragePoolParams& params) {
  if (Status status = CheckKernelShape(params.kernel_shape); !status.ok()) return status;
  return CheckMaxStride(params.max_stride);
}

NchwShape LocalAveragePoolShape(const NchwShape& x_shape, const LocalAveragePoolParams& params) {
  const Window window = MakeWindow(x_shape, params.kernel_shape, params.padding, params.max_stride);
  return {x_shape.batch, x_shape.channels, window.vertical.outputs, window.horizontal.outputs};
}

Status CheckLocalAveragePool(const void* x, const NchwShape& x_shape,
                             const LocalAveragePoolParams& params, const void* y) {
  if (Status status = Validate(params); !status.ok()) return status;
  if (Status status = CheckAddressable(x_shape); !status.ok()) return status;
  const size_t elements = *ElementCount(x_shape);
  const size_t y_elements = *ElementCount(LocalAveragePoolShape(x_shape, params));
  if (Status status = CheckPointer("X", x, elements); !status.ok()) return status;
  if (Status status = CheckPointer("Y", y, y_elements); !status.ok()) return status;
  if (elements == 0) return {};
  return CheckWindow(MakeWindow(x_shape, params.kernel_shape, params.padding, params.max_stride));
}

}  // namespace tlsc
