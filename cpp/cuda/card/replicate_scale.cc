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
  return cuda::RunOnCard<T>(loop, {{x, *ElementCount(x_shape)}, {s, *ElementCount(s_shape)}}, y,
                            elements, [&](cuda::Launch& launch, const auto& in, T* card_y) {
                              return cuda::ReplicateScale(in[0], x_shape, in[1], s_shape, launch,
                                                          card_y);
                            });
}

template Status ReplicateScale(const float*, const NchwShape&, const float*, const NchwShape&,
                               ParallelLoop&, float*);
template Status ReplicateScale(const Float16*, const NchwShape&, const Float16*, const NchwShape&,
                               ParallelLoop&, Float16*);

}  // namespace tlsc
