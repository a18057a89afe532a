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
  return cuda::RunOnCard<T>(loop,
                            {{x, elements}, {scale, x_shape.channels}, {bias, x_shape.channels}}, y,
                            elements, [&](cuda::Launch& launch, const auto& in, T* card_y) {
                              return cuda::LocalInstanceNormalization(in[0], x_shape, in[1], in[2],
                                                                      params, launch, card_y);
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
  return cuda::RunOnCard<T>(
      loop, {{x, elements}, {scale, x_shape.channels}, {bias, x_shape.channels}}, y, elements,
      [&](cuda::Launch& launch, const auto& in, T* card_y) {
        return cuda::LocalGroupNormalization(in[0], x_shape, in[1], in[2], params, launch, card_y);
      });
}

template Status LocalGroupNormalization(const float*, const NchwShape&, const float*, const float*,
                                        const LocalGroupNormalizationParams&, ParallelLoop&,
                                        float*);
template Status LocalGroupNormalization(const Float16*, const NchwShape&, const Float16*,
                                        const Float16*, const LocalGroupNormalizationParams&,
                                        ParallelLoop&, Float16*);

}  // namespace tlsc
