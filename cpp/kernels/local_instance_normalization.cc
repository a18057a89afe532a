#include "kernels/local_instance_normalization.h"

#include "kernels/normalize_groups.h"

namespace tlsc {

template <typename T>
Status LocalInstanceNormalization(const T* x, const NchwShape& x_shape, const T* scale,
                                  const T* bias, const LocalInstanceNormalizationParams& params,
                                  ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalInstanceNormalization(x, x_shape, scale, bias, params, y);
      !status.ok()) {
    return status;
  }
  if (*ElementCount(x_shape) == 0) return {};
  const Window window =
      MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate, params.max_stride);
  const Groups<T> groups = {1, x_shape.channels, scale, bias, params.epsilon};
  return NormalizeGroups(x, x_shape, groups, window, loop, y);
}

template Status LocalInstanceNormalization(const float*, const NchwShape&, const float*,
                                           const float*, const LocalInstanceNormalizationParams&,
                                           ParallelLoop&, float*);
template Status LocalInstanceNormalization(const Float16*, const NchwShape&, const Float16*,
                                           const Float16*, const LocalInstanceNormalizationParams&,
                                           ParallelLoop&, Float16*);

}  // namespace tlsc
