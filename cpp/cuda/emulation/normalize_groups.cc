#include "kernels/normalize_groups.h"

#include "cuda/emulation/emulation.h"
#include "cuda/normalize_body.h"

namespace tlsc {

template <typename T>
Status NormalizeGroups(const T* x, const NchwShape& x_shape, const Groups<T>& groups,
                       const Window& window, ParallelLoop& loop, T* y) {
  // What is emulated normalizes all channels, and has no LeakyRelu.
  const cuda::DeviceLimits device = cuda::EmulatedDevice();
  return cuda::WithSums(cuda::EmulatesFloat64(), [&](auto sum) {
    using Sum = decltype(sum);
    return cuda::EmulateSlide<Sum>(
        cuda::MakeNormalizeArguments<Sum>(x, x_shape, groups.group_channels, groups.scale,
                                          groups.bias, window, groups.epsilon, device, y),
        loop);
  });
}

template Status NormalizeGroups(const float*, const NchwShape&, const Groups<float>&, const Window&,
                                ParallelLoop&, float*);
template Status NormalizeGroups(const Float16*, const NchwShape&, const Groups<Float16>&,
                                const Window&, ParallelLoop&, Float16*);

}  // namespace tlsc
