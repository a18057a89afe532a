#include <algorithm>
#include <string>

#include "kernels/arguments.h"
#include "kernels/local_windows.h"
#include "kernels/window_tiles.h"

namespace tlsc {
namespace {

bool IsCutInto(size_t length, size_t window) {
  return length == 0 ? window == 0 : window >= 1 && window <= length;
}

bool IsWithin(const AxisPlace& place, size_t length) {
  return place.whole == 0 || (length <= place.whole && place.begin <= place.whole - length);
}

bool HoldsWindow(const AxisPlace& place, size_t length, size_t window) {
  return place.whole == 0 || length >= std::min(window, place.whole);
}

// A piece within the whole, and large enough for its windows.
Status CheckPlace(const PlanePlace& place, const NchwShape& x, size_t rows, size_t columns) {
  const auto& [vertical, horizontal] = place;
  if (!IsWithin(vertical, x.height) || !IsWithin(horizontal, x.width)) {
    return InvalidArgument(
        "place", "planes within " + ShowSides(vertical.whole, horizontal.whole),
        ShowSides(x.height, x.width) + " at " + ShowSides(vertical.begin, horizontal.begin));
  }
  if (HoldsWindow(vertical, x.height, rows) && HoldsWindow(horizontal, x.width, columns)) return {};
  return InvalidArgument("place", "pieces no smaller than windows of " + ShowSides(rows, columns),
                         ShowSides(x.height, x.width));
}

}  // namespace

Status ValidateLocalWindowPartition(const KernelShape& kernel_shape) {
  return CheckKernelShape(kernel_shape);
}

Status ValidateLocalWindowPartition(const NchwShape& x_shape, const KernelShape& kernel_shape,
                                    const PlanePlace& place) {
  if (Status status = ValidateLocalWindowPartition(kernel_shape); !status.ok()) return status;
  if (Status status = CheckAddressable(x_shape); !status.ok()) return status;
  if (Status status = CheckPlace(place, x_shape, static_cast<size_t>(kernel_shape[0]),
                                 static_cast<size_t>(kernel_shape[1]));
      !status.ok()) {
    return status;
  }
  const NchwShape windows = {
      x_shape.batch, MakeWindowTiles(x_shape.height, kernel_shape[0], place.vertical).count,
      MakeWindowTiles(x_shape.width, kernel_shape[1], place.horizontal).count, 1};
  if (!ElementCount(windows)) {
    return InvalidArgument(
        "X", "images whose windows can be counted",
        std::to_string(x_shape.batch) + " images of " + ShowSides(x_shape.height, x_shape.width));
  }
  return CheckAddressable("Y", LocalWindowPartitionShape(x_shape, kernel_shape, place));
}

NchwShape LocalWindowPartitionShape(const NchwShape& x_shape, const KernelShape& kernel_shape,
                                    const PlanePlace& place) {
  const WindowTiles vertical = MakeWindowTiles(x_shape.height, kernel_shape[0], place.vertical);
  const WindowTiles horizontal = MakeWindowTiles(x_shape.width, kernel_shape[1], place.horizontal);
  return {x_shape.batch * vertical.count * horizontal.count, x_shape.channels, vertical.window,
          horizontal.window};
}

Status CheckLocalWindowPartition(const void* x, const NchwShape& x_shape,
                                 const KernelShape& kernel_shape, const void* y,
                                 const PlanePlace& place) {
  if (Status status = ValidateLocalWindowPartition(x_shape, kernel_shape, place); !status.ok()) {
    return status;
  }
  const size_t x_elements = *ElementCount(x_shape);
  if (x_elements == 0) return {};
  const NchwShape y_shape = LocalWindowPartitionShape(x_shape, kernel_shape, place);
  if (Status status = CheckPointer("X", x, x_elements); !status.ok()) return status;
  return CheckPointer("Y", y, *ElementCount(y_shape));
}

Status ValidateLocalWindowMerge(const NchwShape& p_shape, const NchwShape& x_shape,
                                const PlanePlace& place) {
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
  if (Status status = CheckPlace(place, x_shape, p_shape.height, p_shape.width); !status.ok())
    return status;
  const size_t windows = x_shape.batch *
                         TilesOf(x_shape.height, p_shape.height, place.vertical).count *
                         TilesOf(x_shape.width, p_shape.width, place.horizontal).count;
  if (p_shape.batch == windows) return {};
  return InvalidArgument("P", std::to_string(windows) + " windows", std::to_string(p_shape.batch));
}

Status CheckLocalWindowMerge(const void* p, const NchwShape& p_shape, const NchwShape& x_shape,
                             const void* y, const PlanePlace& place) {
  if (Status status = ValidateLocalWindowMerge(p_shape, x_shape, place); !status.ok())
    return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  if (Status status = CheckAddressable("P", p_shape); !status.ok()) return status;
  if (Status status = CheckPointer("P", p, *ElementCount(p_shape)); !status.ok()) return status;
  return CheckPointer("Y", y, elements);
}

}  // namespace tlsc
