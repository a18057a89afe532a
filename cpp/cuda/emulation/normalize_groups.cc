#include "kernels/normalize_groups.h"

#include "cuda/emulation/emulation.h"
#include "cuda/normalize_body.h"

namespace tlsc {

template <typename T>
Status NormalizeGroups(const T* x, const NchwShape& x_shape, size_t group_channels, const T* scale,
                       const T* bias, const Window& window, float epsilon, ParallelLoop& loop,
                       T* y) {
  const cuda::DeviceLimits device = cuda::EmulatedDevice();
  return cuda::WithSums(cuda::EmulatesFloat64(), [&](auto sum) {
    using Sum = decltype(sum);
    return cuda::EmulateSlide<Sum>(
        cuda::MakeNormalizeArguments<Sum>(x, x_shape, group_channels, scale, bias, window, epsilon,
                                          device, y),
        loop);
  });
}

template Status NormalizeGroups(const float*, const NchwShape&, size_t, const float*, const float*,
                                const Window&, float, ParallelLoop&, float*);
template Status NormalizeGroups(const Float16*, const NchwShape&, size_t, const Float16*,
                                const Float16*, const Window&, float, ParallelLoop&, Float16*);

}  // namespace tlsc
