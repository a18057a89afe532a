#include "kernels/local_windows.h"

#include "cuda/card/card.h"
#include "cuda/local_windows.h"

namespace tlsc {

template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            ParallelLoop& loop, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowPartition(x, x_shape, kernel_shape, y, place); !status.ok()) {
    return status;
  }
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  const size_t y_elements = *ElementCount(LocalWindowPartitionShape(x_shape, kernel_shape, place));
  return cuda::RunOnCard<T>(
      loop, {{x, elements}}, y, y_elements, [&](cuda::Launch& launch, const auto& in, T* card_y) {
        return cuda::LocalWindowPartition(in[0], x_shape, kernel_shape, launch, card_y, place);
      });
}

template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        ParallelLoop& loop, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowMerge(p, p_shape, x_shape, y, place); !status.ok())
    return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  return cuda::RunOnCard<T>(loop, {{p, *ElementCount(p_shape)}}, y, elements,
                            [&](cuda::Launch& launch, const auto& in, T* card_y) {
                              return cuda::LocalWindowMerge(in[0], p_shape, x_shape, launch, card_y,
                                                            place);
                            });
}

template Status LocalWindowPartition(const float*, const NchwShape&, const KernelShape&,
                                     ParallelLoop&, float*, const PlanePlace&);
template Status LocalWindowPartition(const Float16*, const NchwShape&, const KernelShape&,
                                     ParallelLoop&, Float16*, const PlanePlace&);
template Status LocalWindowMerge(const float*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 float*, const PlanePlace&);
template Status LocalWindowMerge(const Float16*, const NchwShape&, const NchwShape&, ParallelLoop&,
                                 Float16*, const PlanePlace&);

}  // namespace tlsc
