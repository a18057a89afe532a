#include "cuda/normalizations.h"

#include "cuda/card/card.h"
#include "kernels/local_group_normalization.h"
#include "kernels/local_instance_normalization.h"

namespace tlsc {

template <typename T>
Status LocalInstanceNormalization(const T* x, const NchwShape& x_shape, const T* scale,
                                  const T* bias, const LocalInstanceNormalizationParams& params,
                                  ParallelLoop& loop, T* y) {
  if (Status status = CheckLocalInstanceNormalization(x, x_shape, scale, bias, params, y);
      !status.ok())
    return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  return cuda::RunOnCard(loop, [&](cuda::CardCall& call) -> Status {
    const T* card_x = nullptr;
    if (Status status = call.CopyIn(x, elements, card_x); !status.ok()) return status;
    const T* card_scale = nullptr;
    if (Status status = call.CopyIn(scale, x_shape.channels, card_scale); !status.ok())
      return status;
    const T* card_bias = nullptr;
    if (Status status = call.CopyIn(bias, x_shape.channels, card_bias); !status.ok()) return status;
    void* card_y = nullptr;
    if (Status status = call.Allocate(elements * sizeof(T), card_y); !status.ok()) return status;
    if (Status status = cuda::LocalInstanceNormalization(card_x, x_shape, card_scale, card_bias,
                                                         params, call, static_cast<T*>(card_y));
        !status.ok()) {
      return status;
    }
    return call.CopyOut(static_cast<const T*>(card_y), elements, y);
  });
}

template Status LocalInstanceNormalization(const float*, const NchwShape&, const float*,
                                           const float*, const LocalInstanceNormalizationParams&,
                                           ParallelLoop&, float*);
template Status LocalInstanceNormalization(const Float16*, const NchwShape&, const Float16*,
                                           const Float16*, const LocalInstanceNormalizationParams&,
                                           ParallelLoop&, Float16*);

template <typename T>
Status LocalGroupNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                               const LocalGroupNormalizationParams& params, ParallelLoop& loop,
                               T* y) {
  if (Status status = CheckLocalGroupNormalization(x, x_shape, scale, bias, params, y);
      !status.ok())
    return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  return cuda::RunOnCard(loop, [&](cuda::CardCall& call) -> Status {
    const T* card_x = nullptr;
    if (Status status = call.CopyIn(x, elements, card_x); !status.ok()) return status;
    const T* card_scale = nullptr;
    if (Status status = call.CopyIn(scale, x_shape.channels, card_scale); !status.ok())
      return status;
    const T* card_bias = nullptr;
    if (Status status = call.CopyIn(bias, x_shape.channels, card_bias); !status.ok()) return status;
    void* card_y = nullptr;
    if (Status status = call.Allocate(elements * sizeof(T), card_y); !status.ok()) return status;
    if (Status status = cuda::LocalGroupNormalization(card_x, x_shape, card_scale, card_bias,
                                                      params, call, static_cast<T*>(card_y));
        !status.ok()) {
      return status;
    }
    return call.CopyOut(static_cast<const T*>(card_y), elements, y);
  });
}

template Status LocalGroupNormalization(const float*, const NchwShape&, const float*, const float*,
                                        const LocalGroupNormalizationParams&, ParallelLoop&,
                                        float*);
template Status LocalGroupNormalization(const Float16*, const NchwShape&, const Float16*,
                                        const Float16*, const LocalGroupNormalizationParams&,
                                        ParallelLoop&, Float16*);

}  // namespace tlsc
