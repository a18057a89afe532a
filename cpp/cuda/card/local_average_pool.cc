#include "kernels/local_average_pool.h"

#include "cuda/card/card.h"
#include "cuda/local_average_pool.h"

namespace tlsc {

template <typename T>
Status LocalAveragePool(const T* x, const NchwShape& x_shape, const LocalAveragePoolParams& params,
                        ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalAveragePool(x, x_shape, params, y); !status.ok()) return status;
  const size_t elements = *ElementCount(x_shape);
  const size_t y_elements = *ElementCount(LocalAveragePoolShape(x_shape, params));
  if (elements == 0) return {};
  return cuda::RunOnCard<T>(loop, {{x, elements}}, y, y_elements,
                            [&](cuda::Launch& launch, const auto& in, T* card_y) {
                              return cuda::LocalAveragePool(in[0], x_shape, params, launch, card_y);
                            });
}

template Status LocalAveragePool(const float*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, float*);
template Status LocalAveragePool(const Float16*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, Float16*);

}  // namespace tlsc
