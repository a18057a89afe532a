#include "cuda/local_average_pool.h"
#include "cuda/local_average_pool_body.h"
#include "cuda/slide_launch.cuh"

namespace tlsc::cuda {

template <typename T>
Status LocalAveragePool(const T* x, const NchwShape& x_shape, const LocalAveragePoolParams& params,
                        Launch& launch, T* y) {
  if (Status status = CheckLocalAveragePool(x, x_shape, params, y); !status.ok()) return status;
  if (*ElementCount(x_shape) == 0) return {};
  const Device& device = launch.device();
  return WithSums(device.float64, [&](auto sum) {
    using Sum = decltype(sum);
    return LaunchSlide<Sum>(MakePoolArguments<Sum>(x, x_shape, params, device.limits, y), launch);
  });
}

template Status LocalAveragePool(const float*, const NchwShape&, const LocalAveragePoolParams&,
                                 Launch&, float*);
template Status LocalAveragePool(const Float16*, const NchwShape&, const LocalAveragePoolParams&,
                                 Launch&, Float16*);

}  // namespace tlsc::cuda
