#include "ort/backend.h"

namespace tlsc::ort {

const char* ExecutionProvider() { return nullptr; }

template <typename T>
Status RunLocalAveragePool(const KernelContext& context, const T* x, const NchwShape& x_shape,
                           const LocalAveragePoolParams& params, T* y) {
  SessionLoop loop(context);
  return tlsc::LocalAveragePool(x, x_shape, params, loop, y);
}

template <typename T>
Status RunLocalInstanceNormalization(const KernelContext& context, const T* x,
                                     const NchwShape& x_shape, const T* scale, const T* bias,
                                     const LocalInstanceNormalizationParams& params, T* y) {
  SessionLoop loop(context);
  return tlsc::LocalInstanceNormalization(x, x_shape, scale, bias, params, loop, y);
}

template <typename T>
Status RunLocalGroupNormalization(const KernelContext& context, const T* x,
                                  const NchwShape& x_shape, const T* scale, const T* bias,
                                  const LocalGroupNormalizationParams& params, T* y) {
  SessionLoop loop(context);
  return tlsc::LocalGroupNormalization(x, x_shape, scale, bias, params, loop, y);
}

template <typename T>
Status RunLocalWindowPartition(const KernelContext& context, const T* x, const NchwShape& x_shape,
                               const KernelShape& kernel_shape, T* y) {
  SessionLoop loop(context);
  return tlsc::LocalWindowPartition(x, x_shape, kernel_shape, loop, y);
}

template <typename T>
Status RunLocalWindowMerge(const KernelContext& context, const T* p, const NchwShape& p_shape,
                           const NchwShape& x_shape, T* y) {
  SessionLoop loop(context);
  return tlsc::LocalWindowMerge(p, p_shape, x_shape, loop, y);
}

template <typename T>
Status RunReplicateScale(const KernelContext& context, const T* x, const NchwShape& x_shape,
                         const T* s, const NchwShape& s_shape, T* y) {
  SessionLoop loop(context);
  return tlsc::ReplicateScale(x, x_shape, s, s_shape, loop, y);
}

template Status RunLocalAveragePool(const KernelContext&, const float*, const NchwShape&,
                                    const LocalAveragePoolParams&, float*);
template Status RunLocalAveragePool(const KernelContext&, const Float16*, const NchwShape&,
                                    const LocalAveragePoolParams&, Float16*);
template Status RunLocalInstanceNormalization(const KernelContext&, const float*, const NchwShape&,
                                              const float*, const float*,
                                              const LocalInstanceNormalizationParams&, float*);
template Status RunLocalInstanceNormalization(const KernelContext&, const Float16*,
                                              const NchwShape&, const Float16*, const Float16*,
                                              const LocalInstanceNormalizationParams&, Float16*);
template Status RunLocalGroupNormalization(const KernelContext&, const float*, const NchwShape&,
                                           const float*, const float*,
                                           const LocalGroupNormalizationParams&, float*);
template Status RunLocalGroupNormalization(const KernelContext&, const Float16*, const NchwShape&,
                                           const Float16*, const Float16*,
                                           const LocalGroupNormalizationParams&, Float16*);
template Status RunLocalWindowPartition(const KernelContext&, const float*, const NchwShape&,
                                        const KernelShape&, float*);
template Status RunLocalWindowPartition(const KernelContext&, const Float16*, const NchwShape&,
                                        const KernelShape&, Float16*);
template Status RunLocalWindowMerge(const KernelContext&, const float*, const NchwShape&,
                                    const NchwShape&, float*);
template Status RunLocalWindowMerge(const KernelContext&, const Float16*, const NchwShape&,
                                    const NchwShape&, Float16*);
template Status RunReplicateScale(const KernelContext&, const float*, const NchwShape&,
                                  const float*, const NchwShape&, float*);
template Status RunReplicateScale(const KernelContext&, const Float16*, const NchwShape&,
                                  const Float16*, const NchwShape&, Float16*);

}  // namespace tlsc::ort
