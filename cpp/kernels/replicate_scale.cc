#include "kernels/replicate_scale.h"

#include <algorithm>
#include <functional>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/replicate_scale.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/replicate_scale-inl.h"
#include "kernels/target.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseScaleRows() {
  HWY_EXPORT_T(ScaleRowsTable, ScaleRows<T>);
  return HWY_DYNAMIC_POINTER_T(ScaleRowsTable);
}

// From here on the output is written past the caches. They hold nothing here that is read again,
// but an output that finds room in the last of them (32 MiB on many servers) is written there up to
// four times as fast; at twice that room both ways cost the same.
constexpr size_t kPastCachesBytes = size_t{64} << 20;

// The plane of a tensor that plane (image, channel) of the output is computed from.
size_t PlaneFor(const NchwShape& shape, size_t image, size_t channel) {
  return (shape.batch == 1 ? 0 : image) * shape.channels + (shape.channels == 1 ? 0 : channel);
}

}  // namespace

template <typename T>
Status ReplicateScale(const T* x, const NchwShape& x_shape, const T* s, const NchwShape& s_shape,
                      ParallelLoop& loop, T* y) {
  if (Status status = CheckReplicateScale(x, x_shape, s, s_shape, y); !status.ok()) return status;
  const NchwShape y_shape = ReplicateScaleShape(x_shape, s_shape);
  const size_t y_elements = *ElementCount(y_shape);
  if (y_elements == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const Window window = ReplicateScaleWindow(x_shape, s_shape);
  const size_t height = x_shape.height;
  const size_t x_plane = height * x_shape.width;
  const size_t s_plane = s_shape.height * s_shape.width;
  const size_t rows = y_elements / x_shape.width;  // of all planes
  const size_t tasks = RowTasks(y_elements);
  const bool streams = y_elements * sizeof(T) >= kPastCachesBytes;
  const auto scale = ChooseScaleRows<T>();
  const auto run_task = [&](size_t task) {
    const size_t end = rows * (task + 1) / tasks;
    for (size_t row = rows * task / tasks; row < end;) {
      const size_t plane = row / height;
      const size_t image = plane / y_shape.channels;
      const size_t channel = plane % y_shape.channels;
      const Band band = {row % height, std::min(height, row % height + (end - row))};
      scale(x + PlaneFor(x_shape, image, channel) * x_plane,
            s + PlaneFor(s_shape, image, channel) * s_plane, window, band, streams,
            y + plane * x_plane);
      row += band.end - band.begin;
    }
    // What went past the caches is not ordered with what tells other threads that it is done.
    if (streams) hwy::FlushStream();
  };
  return loop.Run(tasks, std::cref(run_task));  // by reference: a copy would be allocated
}

template Status ReplicateScale(const float*, const NchwShape&, const float*, const NchwShape&,
                               ParallelLoop&, float*);
template Status ReplicateScale(const Float16*, const NchwShape&, const Float16*, const NchwShape&,
                               ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
