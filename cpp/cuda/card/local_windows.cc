#include "kernels/local_windows.h"

#include "cuda/card/card.h"
#include "cuda/local_windows.h"

namespace tlsc {

template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalWindowPartition(x, x_shape, kernel_shape, y); !status.ok()) {
    return status;
  }
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  const size_t y_elements = *ElementCount(LocalWindowPartitionShape(x_shape, kernel_shape));
  return cuda::RunOnCard(loop, [&](cuda::CardCall& call) -> Status {
    const T* card_x = nullptr;
    if (Status status = call.CopyIn(x, elements, card_x); !status.ok()) return status;
    void* card_y = nullptr;
    if (Status status = call.Allocate(y_elements * sizeof(T), card_y); !status.ok()) return status;
    if (Status status = cuda::LocalWindowPartition(card_x, x_shape, kernel_shape, call,
                                                   static_cast<T*>(card_y));
        !status.ok()) {
      return status;
    }
    return call.CopyOut(static_cast<const T*>(card_y), y_elements, y);
  });
}

template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalWindowMerge(p, p_shape, x_shape, y); !status.ok()) return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  return cuda::RunOnCard(loop, [&](cuda::CardCall& call) -> Status {
    const T* card_p = nullptr;
    if (Status status = call.CopyIn(p, *ElementCount(p_shape), card_p); !status.ok()) return status;
    void* card_y = nullptr;
    if (Status status = call.Allocate(elements * sizeof(T), card_y); !status.ok()) return status;
    if (Status status =
            cuda::LocalWindowMerge(card_p, p_shape, x_shape, call, static_cast<T*>(card_y));
        !status.ok()) {
      return status;
    }
    return call.CopyOut(static_cast<const T*>(card_y), elements, y);
  });
}

template Status LocalWindowPartition(const float*, const NchwShape&, const KernelShape&,
                                     ParallelLoop&, float*);
template Status LocalWindowPartition(const Float16*, const NchwShape&, const KernelShape&,
                                     ParallelLoop&, Float16*);
template Status LocalWindowMerge(const float*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 float*);
template Status LocalWindowMerge(const Float16*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 Float16*);

}  // namespace tlsc
