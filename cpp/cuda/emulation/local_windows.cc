#include "kernels/local_windows.h"

#include "cuda/emulation/emulation.h"
#include "cuda/local_windows_body.h"

namespace tlsc {

template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            ParallelLoop& loop, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowPartition(x, x_shape, kernel_shape, y, place); !status.ok()) {
    return status;
  }
  if (*ElementCount(x_shape) == 0) return {};
  const cuda::PartitionArguments<T> of = {cuda::GridOf(x_shape, kernel_shape, place), x, y};
  const size_t elements = *ElementCount(LocalWindowPartitionShape(x_shape, kernel_shape, place));
  return cuda::EmulateElements(of, elements, loop);
}

template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        ParallelLoop& loop, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowMerge(p, p_shape, x_shape, y, place); !status.ok())
    return status;
  if (*ElementCount(x_shape) == 0) return {};
  const cuda::MergeArguments<T> of = {cuda::GridOf(p_shape, x_shape, place), p, y};
  return cuda::EmulateElements(of, *ElementCount(x_shape), loop);
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
