#include <string>

#include "kernels/arguments.h"
#include "kernels/replicate_scale.h"

namespace tlsc {
namespace {

Status CheckBroadcast(const char* what, size_t x, size_t s) {
  if (x == s || x == 1 || s == 1) return {};
  const std::string count = std::to_string(x);
  return InvalidArgument("S", std::string(what) + " of " + count + " or 1", std::to_string(s));
}

size_t Broadcast(size_t x, size_t s) { return x == 1 ? s : x; }

bool Fits(size_t x, size_t s) { return x == 0 ? s == 0 : s >= 1 && s <= x; }

std::string PlaneOf(const NchwShape& shape) { return ShowSides(shape.height, shape.width); }

// S holds one value per position of a window that is as much smaller than the plane, and all that
// is to know of the way from outputs to positions is known of windows.
WindowAxis MakeScaleAxis(size_t x, size_t s) {
  return MakeWindowAxis(x, static_cast<int64_t>(x - s + 1), Padding::kReplicate);
}

}  // namespace

Status ValidateReplicateScale(const NchwShape& x_shape, const NchwShape& s_shape) {
  if (Status status = CheckBroadcast("a batch", x_shape.batch, s_shape.batch); !status.ok())
    return status;
  if (Status status = CheckBroadcast("a channel count", x_shape.channels, s_shape.channels);
      !status.ok())
    return status;
  if (Fits(x_shape.height, s_shape.height) && Fits(x_shape.width, s_shape.width)) return {};
  return InvalidArgument("S", "a plane that is not empty within " + PlaneOf(x_shape),
                         PlaneOf(s_shape));
}

NchwShape ReplicateScaleShape(const NchwShape& x_shape, const NchwShape& s_shape) {
  return {Broadcast(x_shape.batch, s_shape.batch), Broadcast(x_shape.channels, s_shape.channels),
          x_shape.height, x_shape.width};
}

Status CheckReplicateScale(const void* x, const NchwShape& x_shape, const void* s,
                           const NchwShape& s_shape, const void* y) {
  if (Status status = ValidateReplicateScale(x_shape, s_shape); !status.ok()) return status;
  const NchwShape y_shape = ReplicateScaleShape(x_shape, s_shape);
  if (Status status = CheckAddressable("X", x_shape); !status.ok()) return status;
  if (Status status = CheckAddressable("S", s_shape); !status.ok()) return status;
  if (Status status = CheckAddressable("Y", y_shape); !status.ok()) return status;
  if (Status status = CheckPointer("X", x, *ElementCount(x_shape)); !status.ok()) return status;
  if (Status status = CheckPointer("S", s, *ElementCount(s_shape)); !status.ok()) return status;
  return CheckPointer("Y", y, *ElementCount(y_shape));
}

Window ReplicateScaleWindow(const NchwShape& x_shape, const NchwShape& s_shape) {
  return {MakeScaleAxis(x_shape.height, s_shape.height),
          MakeScaleAxis(x_shape.width, s_shape.width)};
}

}  // namespace tlsc
