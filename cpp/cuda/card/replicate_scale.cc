#include "kernels/replicate_scale.h"

#include "cuda/card/card.h"
#include "cuda/replicate_scale.h"

namespace tlsc {

template <typename T>
Status ReplicateScale(const T* x, const NchwShape& x_shape, const T* s, const NchwShape& s_shape,
                      ParallelLoop& loop, T* y) {
  if (Status status = CheckReplicateScale(x, x_shape, s, s_shape, y); !status.ok()) return status;
  const size_t elements = *ElementCount(ReplicateScaleShape(x_shape, s_shape));
  if (elements == 0) return {};
  return cuda::RunOnCard(loop, [&](cuda::CardCall& call) -> Status {
    const T* card_x = nullptr;
    if (Status status = call.CopyIn(x, *ElementCount(x_shape), card_x); !status.ok()) return status;
    const T* card_s = nullptr;
    if (Status status = call.CopyIn(s, *ElementCount(s_shape), card_s); !status.ok()) return status;
    void* card_y = nullptr;
    if (Status status = call.Allocate(elements * sizeof(T), card_y); !status.ok()) return status;
    if (Status status =
            cuda::ReplicateScale(card_x, x_shape, card_s, s_shape, call, static_cast<T*>(card_y));
        !status.ok()) {
      return status;
    }
    return call.CopyOut(static_cast<const T*>(card_y), elements, y);
  });
}

template Status ReplicateScale(const float*, const NchwShape&, const float*, const NchwShape&,
                               ParallelLoop&, float*);
template Status ReplicateScale(const Float16*, const NchwShape&, const Float16*, const NchwShape&,
                               ParallelLoop&, Float16*);

}  // namespace tlsc
