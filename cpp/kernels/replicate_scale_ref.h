#ifndef TLSC_KERNELS_REPLICATE_SCALE_REF_H_
#define TLSC_KERNELS_REPLICATE_SCALE_REF_H_

#include <algorithm>
#include <cstdint>

#include "base/nchw_shape.h"

namespace tlsc {

// Output [n, c, i, j], by the definition, in float64. For tests only.
inline double ReplicateScaleRef(const float* x, const NchwShape& x_shape, const float* s,
                                const NchwShape& s_shape, size_t n, size_t c, int64_t i,
                                int64_t j) {
  const auto at = [&](const float* tensor, const NchwShape& shape, int64_t row, int64_t column) {
    const size_t image = shape.batch == 1 ? 0 : n;
    const size_t channel = shape.channels == 1 ? 0 : c;
    const size_t plane = image * shape.channels + channel;
    return double{tensor[(plane * shape.height + static_cast<size_t>(row)) * shape.width +
                         static_cast<size_t>(column)]};
  };
  const auto position = [](int64_t output, size_t length, size_t positions) {
    const int64_t outside = static_cast<int64_t>(length) - static_cast<int64_t>(positions);
    return std::clamp<int64_t>(output - outside / 2, 0, static_cast<int64_t>(positions) - 1);
  };
  return at(x, x_shape, i, j) * at(s, s_shape, position(i, x_shape.height, s_shape.height),
                                   position(j, x_shape.width, s_shape.width));
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_REPLICATE_SCALE_REF_H_
