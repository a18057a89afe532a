#ifndef TLSC_BASE_NCHW_SHAPE_H_
#define TLSC_BASE_NCHW_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace tlsc {

// The shape of a contiguous image tensor [N, C, H, W]. A plane is one image's one channel: plane p
// holds channel p % channels and starts at element p * height * width.
struct NchwShape {
  size_t batch;
  size_t channels;
  size_t height;
  size_t width;
};

// Nothing if the tensor could not be addressed even in float64, the widest type that kernels keep
// rows in. Once this has succeeded, no product of these sizes overflows.
inline std::optional<size_t> ElementCount(const NchwShape& shape) {
  const size_t sizes[] = {shape.batch, shape.channels, shape.height, shape.width};
  for (const size_t size : sizes) {
    if (size == 0) return 0;
  }
  size_t count = 1;
  for (const size_t size : sizes) {
    if (size > size_t{PTRDIFF_MAX} / sizeof(double) / count) return std::nullopt;
    count *= size;
  }
  return count;
}

}  // namespace tlsc

#endif  // TLSC_BASE_NCHW_SHAPE_H_
