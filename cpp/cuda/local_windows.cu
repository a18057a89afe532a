#include "cuda/element_launch.cuh"
#include "cuda/local_windows.h"
#include "cuda/local_windows_body.h"

namespace tlsc::cuda {

template <typename T>
Status LocalWindowPartition(const T* x, const NchwShape& x_shape, const KernelShape& kernel_shape,
                            Launch& launch, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowPartition(x, x_shape, kernel_shape, y, place); !status.ok()) {
    return status;
  }
  if (*ElementCount(x_shape) == 0) return {};
  const size_t elements = *ElementCount(LocalWindowPartitionShape(x_shape, kernel_shape, place));
  return LaunchElements(PartitionArguments<T>{GridOf(x_shape, kernel_shape, place), x, y}, elements,
                        launch);
}

template <typename T>
Status LocalWindowMerge(const T* p, const NchwShape& p_shape, const NchwShape& x_shape,
                        Launch& launch, T* y, const PlanePlace& place) {
  if (Status status = CheckLocalWindowMerge(p, p_shape, x_shape, y, place); !status.ok())
    return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  return LaunchElements(MergeArguments<T>{GridOf(p_shape, x_shape, place), p, y}, elements, launch);
}

template Status LocalWindowPartition(const float*, const NchwShape&, const KernelShape&, Launch&,
                                     float*, const PlanePlace&);
template Status LocalWindowPartition(const Float16*, const NchwShape&, const KernelShape&, Launch&,
                                     Float16*, const PlanePlace&);
template Status LocalWindowMerge(const float*, const NchwShape&, const NchwShape&, Launch&, float*,
                                 const PlanePlace&);
template Status LocalWindowMerge(const Float16*, const NchwShape&, const NchwShape&, Launch&,
                                 Float16*, const PlanePlace&);

}  // namespace tlsc::cuda
