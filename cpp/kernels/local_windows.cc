#include "kernels/local_windows.h"

#include <algorithm>
#include <functional>
#include <string>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_windows.cc"
#include <hwy/foreach_target.h>

#include "kernels/arguments.h"
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

bool IsCutInto(size_t length, size_t window) {
  return length == 0 ? window == 0 : window >= 1 && window <= length;
}

WindowTiles TilesOf(size_t length, size_t window) {
  return MakeWindowTiles(length, static_cast<int64_t>(std::max<size_t>(window, 1)));
}

}  // namespace

Status ValidateLocalWindowPartition(const KernelShape& kernel_shape) {
  return CheckKernelShape(kernel_shape);
}

NchwShape LocalWindowPartitionShape(const NchwShape& x_shape, const KernelShape& kernel_shape) {
  const WindowTiles vertical = MakeWindowTiles(x_shape.height, kernel_shape[0]);
  const WindowTiles horizontal = MakeWindowTiles(x_shape.width, kernel_shape[1]);
  return {x_shape.batch * vertical.count * horizontal.count, x_shape.channels, vertical.window,
          horizontal.window};
}

template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            ParallelLoop& loop, T* y) {
  if (Status status = ValidateLocalWindowPartition(kernel_shape); !status.ok()) return status;
  if (Status status = CheckAddressable(x_shape); !status.ok()) return status;
  const size_t x_elements = *ElementCount(x_shape);
  if (x_elements == 0) return {};
  const NchwShape y_shape = LocalWindowPartitionShape(x_shape, kernel_shape);
  if (Status status = CheckAddressable("Y", y_shape); !status.ok()) return status;
  if (Status status = CheckPointer("X", x, x_elements); !status.ok()) return status;
  if (Status status = CheckPointer("Y", y, *ElementCount(y_shape)); !status.ok()) return status;

  const WindowTiles vertical = MakeWindowTiles(x_shape.height, kernel_shape[0]);
  const WindowTiles horizontal = MakeWindowTiles(x_shape.width, kernel_shape[1]);
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

Status ValidateLocalWindowMerge(const NchwShape& p_shape, const NchwShape& x_shape) {
  if (Status status = CheckAddressable("X", x_shape); !status.ok()) return status;
  if (p_shape.channels != x_shape.channels) {
    return InvalidArgument("P", std::to_string(x_shape.channels) + " channels",
                           std::to_string(p_shape.channels));
  }
  if (!IsCutInto(x_shape.height, p_shape.height) || !IsCutInto(x_shape.width, p_shape.width)) {
    return InvalidArgument(
        "P", "windows that are not empty within " + ShowSides(x_shape.height, x_shape.width),
        ShowSides(p_shape.height, p_shape.width));
  }
  const size_t windows = x_shape.batch * TilesOf(x_shape.height, p_shape.height).count *
                         TilesOf(x_shape.width, p_shape.width).count;
  if (p_shape.batch == windows) return {};
  return InvalidArgument("P", std::to_string(windows) + " windows", std::to_string(p_shape.batch));
}

template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        ParallelLoop& loop, T* y) {
  if (Status status = ValidateLocalWindowMerge(p_shape, x_shape); !status.ok()) return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  if (Status status = CheckAddressable("P", p_shape); !status.ok()) return status;
  if (Status status = CheckPointer("P", p, *ElementCount(p_shape)); !status.ok()) return status;
  if (Status status = CheckPointer("Y", y, elements); !status.ok()) return status;
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const WindowTiles vertical = TilesOf(x_shape.height, p_shape.height);
  const WindowTiles horizontal = TilesOf(x_shape.width, p_shape.width);
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
                                     ParallelLoop&, float*);
template Status LocalWindowPartition(const Float16*, const NchwShape&, const KernelShape&,
                                     ParallelLoop&, Float16*);
template Status LocalWindowMerge(const float*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 float*);
template Status LocalWindowMerge(const Float16*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
