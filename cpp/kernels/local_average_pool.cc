#include "kernels/local_average_pool.h"

#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_average_pool.cc"
#include <hwy/foreach_target.h>

#include "kernels/arguments.h"
#include "kernels/bands.h"
#include "kernels/local_average_pool-inl.h"
#include "kernels/scratch.h"
#include "kernels/target.h"

#if HWY_ONCE
namespace tlsc {
namespace {

HWY_EXPORT(PoolBand);

class Scratch {
 public:
  explicit Scratch(const WindowAxis& horizontal)
      : columns_(horizontal.length),
        infinities_(horizontal.length),
        nans_(horizontal.length),
        row_(horizontal.outputs) {}

  PoolScratch rows() { return {columns_.data(), infinities_.data(), nans_.data(), row_.data()}; }

 private:
  std::vector<double> columns_;
  std::vector<double> infinities_;
  std::vector<double> nans_;
  std::vector<float> row_;
};

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
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const Window window = MakeWindow(x_shape, params.kernel_shape, params.padding);
  const size_t planes = x_shape.batch * x_shape.channels;
  const size_t x_plane = x_elements / planes;
  const size_t y_plane = y_elements / planes;
  const bool streams = y_elements * sizeof(float) >= kStreamedBytes;
  const auto pool = HWY_DYNAMIC_POINTER(PoolBand);
  return ForEachBand(
      planes, window.vertical, loop, [&] { return Scratch(window.horizontal); },
      [&](size_t plane, const Band& band, Scratch& scratch) {
        pool(x + plane * x_plane, window, band, streams, scratch.rows(), y + plane * y_plane);
      });
}

}  // namespace tlsc
#endif  // HWY_ONCE
