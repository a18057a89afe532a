#include "kernels/local_windows.h"

#include <algorithm>
#include <functional>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_windows.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/local_windows-inl.h"
#include "kernels/target.h"
#include "kernels/window_tiles.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseMergeRow() {
  HWY_EXPORT_T(MergeRowTable, MergeRow<T>);
  return HWY_DYNAMIC_POINTER_T(MergeRowTable);
}

// Calls write(row) for each row of a tensor, shared out over tasks.
template <typename Write>
Status ForEachRow(const NchwShape& shape, ParallelLoop& loop, const Write& write) {
  const size_t elements = *ElementCount(shape);
  const size_t rows = elements / shape.width;
  const size_t tasks = RowTasks(elements);
  const auto run_task = [&](size_t task) {
    const size_t end = rows * (task + 1) / tasks;
    for (size_t row = rows * task / tasks; row < end; ++row) write(row);
  };
  return loop.Run(tasks, std::cref(run_task));  // by reference: a copy would be allocated
}

}  // namespace

template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            ParallelLoop& loop, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowPartition(x, x_shape, kernel_shape, y, place); !status.ok()) {
    return status;
  }
  if (*ElementCount(x_shape) == 0) return {};
  const NchwShape y_shape = LocalWindowPartitionShape(x_shape, kernel_shape, place);
  const WindowTiles vertical = MakeWindowTiles(x_shape.height, kernel_shape[0], place.vertical);
  const WindowTiles horizontal = MakeWindowTiles(x_shape.width, kernel_shape[1], place.horizontal);
  return ForEachRow(y_shape, loop, [&](size_t row) {
    const size_t plane = row / vertical.window;
    const size_t image = plane / x_shape.channels;  // of y
    const size_t channel = plane % x_shape.channels;
    const size_t q = image % horizontal.count;
    const size_t r = image / horizontal.count % vertical.count;
    const size_t n = image / horizontal.count / vertical.count;
    const size_t x_row = (n * x_shape.channels + channel) * x_shape.height + vertical.Begin(r) +
                         row % vertical.window;
    std::copy_n(x + x_row * x_shape.width + horizontal.Begin(q), horizontal.window,
                y + row * horizontal.window);
  });
}

template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        ParallelLoop& loop, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowMerge(p, p_shape, x_shape, y, place); !status.ok())
    return status;
  if (*ElementCount(x_shape) == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const WindowTiles vertical = TilesOf(x_shape.height, p_shape.height, place.vertical);
  const WindowTiles horizontal = TilesOf(x_shape.width, p_shape.width, place.horizontal);
  const size_t window_plane = vertical.window * horizontal.window;
  const size_t window_image = x_shape.channels * window_plane;
  const auto merge = ChooseMergeRow<T>();
  return ForEachRow(x_shape, loop, [&](size_t row) {
    const size_t plane = row / x_shape.height;
    const size_t image = plane / x_shape.channels;
    const size_t channel = plane % x_shape.channels;
    const T* windows =
        p + image * vertical.count * horizontal.count * window_image + channel * window_plane;
    merge({windows, window_image, vertical, horizontal, row % x_shape.height},
          y + row * x_shape.width);
  });
}

template Status LocalWindowPartition(const float*, const NchwShape&, const KernelShape&,
                                     ParallelLoop&, float*, const PlanePlace&);
template Status LocalWindowPartition(const Float16*, const NchwShape&, const KernelShape&,
                                     ParallelLoop&, Float16*, const PlanePlace&);
template Status LocalWindowMerge(const float*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 float*, const PlanePlace&);
template Status LocalWindowMerge(const Float16*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 Float16*, const PlanePlace&);

}  // namespace tlsc
#endif  // HWY_ONCE
