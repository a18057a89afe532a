#include "cuda/element_launch.cuh"
#include "cuda/replicate_scale.h"
#include "cuda/replicate_scale_body.h"

namespace tlsc::cuda {

template <typename T>
Status ReplicateScale(const T* x, const NchwShape& x_shape, const T* s, const NchwShape& s_shape,
                      Launch& launch, T* y) {
  if (Status status = CheckReplicateScale(x, x_shape, s, s_shape, y); !status.ok()) return status;
  const size_t elements = *ElementCount(ReplicateScaleShape(x_shape, s_shape));
  if (elements == 0) return {};
  return LaunchElements(MakeScaleArguments(x, x_shape, s, s_shape, y), elements, launch);
}

template Status ReplicateScale(const float*, const NchwShape&, const float*, const NchwShape&,
                               Launch&, float*);
template Status ReplicateScale(const Float16*, const NchwShape&, const Float16*, const NchwShape&,
                               Launch&, Float16*);

}  // namespace tlsc::cuda
