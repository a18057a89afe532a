#include "kernels/local_group_normalization.h"

#include "kernels/normalize_groups.h"

namespace tlsc {

template <typename T>
Status LocalGroupNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                               const LocalGroupNormalizationParams& params, ParallelLoop& loop,
                               T* y) {
  if (Status status = CheckLocalGroupNormalization(x, x_shape, scale, bias, params, y);
      !status.ok()) {
    return status;
  }
  if (*ElementCount(x_shape) == 0) return {};
  const size_t group_channels = x_shape.channels / static_cast<size_t>(params.num_groups);
  const Groups<T> groups = {group_channels, x_shape.channels, scale, bias, params.epsilon};
  return NormalizeGroups(x, x_shape, groups,
                         MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate), loop, y);
}

template Status LocalGroupNormalization(const float*, const NchwShape&, const float*, const float*,
                                        const LocalGroupNormalizationParams&, ParallelLoop&,
                                        float*);
template Status LocalGroupNormalization(const Float16*, const NchwShape&, const Float16*,
                                        const Float16*, const LocalGroupNormalizationParams&,
                                        ParallelLoop&, Float16*);

}  // namespace tlsc
