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
  return cuda::RunOnCard(loop, [&](cuda::CardCall& call) -> Status {
    const T* card_x = nullptr;
    if (Status status = call.CopyIn(x, elements, card_x); !status.ok()) return status;
    void* card_y = nullptr;
    if (Status status = call.Allocate(y_elements * sizeof(T), card_y); !status.ok()) return status;
    if (Status status =
            cuda::LocalAveragePool(card_x, x_shape, params, call, static_cast<T*>(card_y));
        !status.ok()) {
      return status;
    }
    return call.CopyOut(static_cast<const T*>(card_y), y_elements, y);
  });
}

template Status LocalAveragePool(const float*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, float*);
template Status LocalAveragePool(const Float16*, const NchwShape&, const LocalAveragePoolParams&,
                                 ParallelLoop&, Float16*);

}  // namespace tlsc
