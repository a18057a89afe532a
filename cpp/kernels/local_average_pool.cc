#include "kernels/local_average_pool.h"

#include <algorithm>

#include "kernels/arguments.h"
#include "kernels/for_each_plane.h"
#include "kernels/sliding_sums.h"

namespace tlsc {
namespace {

void PoolPlane(const float* x, const Window& window, SlidingSums<1>& sums, float* y) {
  const size_t width = window.horizontal.outputs;
  const double weight = 1.0 / static_cast<double>(window.area());
  // No second power to keep small, hence no pivot.
  sums.Sweep(x, 0.0, [&](size_t begin, size_t end, const SlidingSums<1>::Rows& rows) {
    float* first = y + begin * width;
    for (size_t column = 0; column < width; ++column) {
      first[column] = static_cast<float>(rows[0][column] * weight);
    }
    for (size_t row = begin + 1; row < end; ++row) std::copy_n(first, width, y + row * width);
  });
}

}  // namespace

Status Validate(const LocalAveragePoolParams& params) {
  return CheckKernelShape(params.kernel_shape);
}

NchwShape LocalAveragePoolShape(const NchwShape& x_shape, const LocalAveragePoolParams& params) {
  const Window window = MakeWindow(x_shape, params.kernel_shape, params.padding);
  return {x_shape.batch, x_shape.channels, window.vertical.outputs, window.horizontal.outputs};
}

Status LocalAveragePool(const float* x, const NchwShape& x_shape,
                        const LocalAveragePoolParams& params, ParallelLoop& loop, float* y) {
  if (Status status = Validate(params); !status.ok()) return status;
  if (Status status = CheckAddressable(x_shape); !status.ok()) return status;
  const size_t x_elements = *ElementCount(x_shape);
  const size_t y_elements = *ElementCount(LocalAveragePoolShape(x_shape, params));
  if (Status status = CheckPointer("X", x, x_elements); !status.ok()) return status;
  if (Status status = CheckPointer("Y", y, y_elements); !status.ok()) return status;
  if (x_elements == 0) return {};

  const Window window = MakeWindow(x_shape, params.kernel_shape, params.padding);
  const size_t planes = x_shape.batch * x_shape.channels;
  const size_t x_plane = x_elements / planes;
  const size_t y_plane = y_elements / planes;
  return ForEachPlane(
      planes, loop, [&] { return SlidingSums<1>(window); },
      [&](size_t plane, SlidingSums<1>& sums) {
        PoolPlane(x + plane * x_plane, window, sums, y + plane * y_plane);
      });
}

}  // namespace tlsc
