#ifndef TLSC_KERNELS_LOCAL_AVERAGE_POOL_REF_H_
#define TLSC_KERNELS_LOCAL_AVERAGE_POOL_REF_H_

#include "kernels/local_average_pool.h"
#include "kernels/window_ref.h"

namespace tlsc {

// Output (y, x) of one plane, by the definition, in float64. For tests only.
inline double LocalAveragePoolRef(const float* plane, int64_t height, int64_t width,
                                  const LocalAveragePoolParams& params, int64_t y, int64_t x) {
  const WindowRef window =
      params.max_stride ? FastWindowAtRef(height, width, params.kernel_shape, *params.max_stride,
                                          params.padding, y, x)
                        : WindowAtRef(height, width, params.kernel_shape, params.padding, y, x);
  return MeanRef(window, [&](int64_t i, int64_t j) -> double { return plane[i * width + j]; });
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_AVERAGE_POOL_REF_H_
