#include "cuda/normalizations.h"
#include "cuda/normalize_body.h"
#include "cuda/slide_launch.cuh"

namespace tlsc::cuda {
namespace {

template <typename T>
Status NormalizeGroups(const T* x, const NchwShape& x_shape, size_t channels, const T* scale,
                       const T* bias, const Window& window, float epsilon, Launch& launch, T* y) {
  const Device& device = launch.device();
  return WithSums(device.float64, [&](auto sum) {
    using Sum = decltype(sum);
    return LaunchSlide<Sum>(MakeNormalizeArguments<Sum>(x, x_shape, channels, scale, bias, window,
                                                        epsilon, device.limits, y),
                            launch);
  });
}

}  // namespace

template <typename T>
Status LocalInstanceNormalization(const T* x, const NchwShape& x_shape, const T* scale,
                                  const T* bias, const LocalInstanceNormalizationParams& params,
                                  Launch& launch, T* y) {
  if (Status status = CheckLocalInstanceNormalization(x, x_shape, scale, bias, params, y);
      !status.ok()) {
    return status;
  }
  if (*ElementCount(x_shape) == 0) return {};
  const Window window =
      MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate, params.max_stride);
  return NormalizeGroups(x, x_shape, 1, scale, bias, window, params.epsilon, launch, y);
}

template <typename T>
Status LocalGroupNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                               const LocalGroupNormalizationParams& params, Launch& launch, T* y) {
  if (Status status = CheckLocalGroupNormalization(x, x_shape, scale, bias, params, y);
      !status.ok()) {
    return status;
  }
  if (*ElementCount(x_shape) == 0) return {};
  const size_t channels = x_shape.channels / static_cast<size_t>(params.num_groups);
  const Window window = MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate);
  return NormalizeGroups(x, x_shape, channels, scale, bias, window, params.epsilon, launch, y);
}

template Status LocalInstanceNormalization(const float*, const NchwShape&, const float*,
                                           const float*, const LocalInstanceNormalizationParams&,
                                           Launch&, float*);
template Status LocalInstanceNormalization(const Float16*, const NchwShape&, const Float16*,
                                           const Float16*, const LocalInstanceNormalizationParams&,
                                           Launch&, Float16*);
template Status LocalGroupNormalization(const float*, const NchwShape&, const float*, const float*,
                                        const LocalGroupNormalizationParams&, Launch&, float*);
template Status LocalGroupNormalization(const Float16*, const NchwShape&, const Float16*,
                                        const Float16*, const LocalGroupNormalizationParams&,
                                        Launch&, Float16*);

}  // namespace tlsc::cuda
