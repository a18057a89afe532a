#include "kernels/local_instance_normalization_leaky_relu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_instance_normalization_leaky_relu.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/leaky_relu-inl.h"
#include "kernels/normalize_groups.h"
#include "kernels/target.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseLeakyReluSpan() {
  HWY_EXPORT_T(LeakyReluSpanTable, LeakyReluSpan<T>);
  return HWY_DYNAMIC_POINTER_T(LeakyReluSpanTable);
}

}  // namespace

template <typename T>
Status LocalInstanceNormalizationLeakyRelu(const T* x, const NchwShape& x_shape, size_t normalized,
                                           const T* scale, const T* bias,
                                           const LocalInstanceNormalizationParams& params,
                                           float alpha, ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalInstanceNormalizationLeakyRelu(x, x_shape, normalized, scale, bias,
                                                               params, alpha, y);
      !status.ok()) {
    return status;
  }
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;
  if (normalized > 0) {
    const Window window =
        MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate, params.max_stride);
    const Groups<T> groups = {1, normalized, scale, bias, params.epsilon, alpha};
    if (Status status = NormalizeGroups(x, x_shape, groups, window, loop, y); !status.ok())
      return status;
  }
  const size_t others = (x_shape.channels - normalized) * x_shape.height * x_shape.width;
  if (others == 0) return {};
  const size_t image = elements / x_shape.batch;
  const size_t per_image = RowTasks(others);
  const bool streams = elements * sizeof(T) >= kStreamedBytes;
  const auto pass = ChooseLeakyReluSpan<T>();
  return loop.Run(x_shape.batch * per_image, [&](size_t task) {
    const size_t part = task % per_image;
    const size_t begin = others * part / per_image;
    const size_t end = others * (part + 1) / per_image;
    const size_t at = (task / per_image + 1) * image - others + begin;
    pass(x + at, y + at, end - begin, alpha, streams);
  });
}

template Status LocalInstanceNormalizationLeakyRelu(const float*, const NchwShape&, size_t,
                                                    const float*, const float*,
                                                    const LocalInstanceNormalizationParams&, float,
                                                    ParallelLoop&, float*);
template Status LocalInstanceNormalizationLeakyRelu(const Float16*, const NchwShape&, size_t,
                                                    const Float16*, const Float16*,
                                                    const LocalInstanceNormalizationParams&, float,
                                                    ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
