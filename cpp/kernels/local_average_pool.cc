#include "kernels/local_average_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_average_pool.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/local_average_pool-inl.h"
#include "kernels/scratch.h"
#include "kernels/target.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChoosePoolBand() {
  HWY_EXPORT_T(PoolBands, PoolBand<T>);
  return HWY_DYNAMIC_POINTER_T(PoolBands);
}

}  // namespace

template <typename T>
Status LocalAveragePool(const T* x, const NchwShape& x_shape, const LocalAveragePoolParams& params,
                        ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalAveragePool(x, x_shape, params, y); !status.ok()) return status;
  const size_t x_elements = *ElementCount(x_shape);
  const size_t y_elements = *ElementCount(LocalAveragePoolShape(x_shape, params));
  if (x_elements == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const Window window = MakeWindow(x_shape, params.kernel_shape, params.padding, params.max_stride);
  const size_t planes = x_shape.batch * x_shape.channels;
  const size_t x_plane = x_elements / planes;
  const size_t y_plane = y_elements / planes;
  const bool streams = y_elements * sizeof(T) >= kStreamedBytes;
  const auto pool = ChoosePoolBand<T>();
  return ForEachBand<PoolRows<T>>(
      planes, window, loop, [&](size_t plane, const Band& band, const PoolRows<T>& rows) {
        pool({x + plane * x_plane, y + plane * y_plane, window, band, streams}, rows);
      });
}

template Status LocalAveragePool(const float*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, float*);
template Status LocalAveragePool(const Float16*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
