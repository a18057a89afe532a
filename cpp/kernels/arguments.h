#ifndef TLSC_KERNELS_ARGUMENTS_H_
#define TLSC_KERNELS_ARGUMENTS_H_

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

#include "base/nchw_shape.h"
#include "base/status.h"
#include "kernels/window.h"

// The argument checks that several kernels share. Parameters go by their ONNX names.
namespace tlsc {

// A height and a width, as messages show them.
template <typename T>
std::string ShowSides(T height, T width) {
  return "[" + std::to_string(height) + ", " + std::to_string(width) + "]";
}

inline Status CheckKernelShape(const KernelShape& kernel_shape) {
  if (kernel_shape[0] >= 1 && kernel_shape[1] >= 1) return {};
  return InvalidArgument("kernel_shape", "a height and a width of at least 1",
                         ShowSides(kernel_shape[0], kernel_shape[1]));
}

inline Status CheckAddressable(const std::string& parameter, const NchwShape& shape) {
  if (ElementCount(shape)) return {};
  return InvalidArgument(parameter, "a shape that fits in memory",
                         "[" + std::to_string(shape.batch) + ", " + std::to_string(shape.channels) +
                             ", " + std::to_string(shape.height) + ", " +
                             std::to_string(shape.width) + "]");
}

inline Status CheckAddressable(const NchwShape& x) { return CheckAddressable("X", x); }

inline Status CheckMaxStride(const std::optional<MaxStride>& max_stride) {
  if (!max_stride || ((*max_stride)[0] >= 1 && (*max_stride)[1] >= 1)) return {};
  return InvalidArgument("max_stride", "two strides of at least 1",
                         ShowSides((*max_stride)[0], (*max_stride)[1]));
}

// Fast mode leaves out the first sample, and may leave none for the window.
inline Status CheckWindow(const Window& window) {
  if (window.area() > 0) return {};
  return InvalidArgument("X", "planes that leave a sample for the window in fast mode",
                         ShowSides(window.vertical.length, window.horizontal.length));
}

// A tensor without elements may be null.
inline Status CheckPointer(const std::string& parameter, const void* data, size_t elements) {
  if (data != nullptr || elements == 0) return {};
  return InvalidArgument(parameter, "a pointer to " + std::to_string(elements) + " elements",
                         "null");
}

inline Status CheckEpsilon(float epsilon) {
  if (std::isfinite(epsilon) && epsilon >= 0.0f) return {};
  return InvalidArgument("epsilon", "a finite value of at least 0", std::to_string(epsilon));
}

// What a normalization takes and gives.
inline Status CheckNormTensors(const void* x, const NchwShape& shape, const void* scale,
                               const void* bias, const void* y) {
  if (Status status = CheckAddressable(shape); !status.ok()) return status;
  const size_t elements = *ElementCount(shape);
  if (elements == 0) return {};
  if (Status status = CheckPointer("X", x, elements); !status.ok()) return status;
  if (Status status = CheckPointer("scale", scale, shape.channels); !status.ok()) return status;
  if (Status status = CheckPointer("B", bias, shape.channels); !status.ok()) return status;
  return CheckPointer("Y", y, elements);
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_ARGUMENTS_H_
