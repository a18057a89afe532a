#include "kernels/local_average_pool.h"

#include "cuda/emulation/emulation.h"
#include "cuda/local_average_pool_body.h"

namespace tlsc {

template <typename T>
Status LocalAveragePool(const T* x, const NchwShape& x_shape, const LocalAveragePoolParams& params,
                        ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalAveragePool(x, x_shape, params, y); !status.ok()) return status;
  if (*ElementCount(x_shape) == 0) return {};
  const cuda::DeviceLimits device = cuda::EmulatedDevice();
  return cuda::WithSums(cuda::EmulatesFloat64(), [&](auto sum) {
    using Sum = decltype(sum);
    return cuda::EmulateSlide<Sum>(cuda::MakePoolArguments<Sum>(x, x_shape, params, device, y),
                                   loop);
  });
}

template Status LocalAveragePool(const float*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, float*);
template Status LocalAveragePool(const Float16*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, Float16*);

}  // namespace tlsc
