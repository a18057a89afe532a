#ifndef TLSC_ORT_BACKEND_H_
#define TLSC_ORT_BACKEND_H_

#include "kernels/local_average_pool.h"
#include "kernels/local_group_normalization.h"
#include "kernels/local_instance_normalization.h"
#include "kernels/local_windows.h"
#include "kernels/replicate_scale.h"
#include "ort/kernel_context.h"

// What runs the operators of a library: the processor or a card. Which of the two is decided where
// the library is linked, by cpu_backend.cc or cuda_backend.cc; the adapters are the same.
namespace tlsc::ort {

// ONNX Runtime's name of the execution provider whose tensors they take; null for the CPU's.
const char* ExecutionProvider();

// Each is the kernel of that name (kernels/), run for a node.
template <typename T>
Status RunLocalAveragePool(const KernelContext& context, const T* x, const NchwShape& x_shape,
                           const LocalAveragePoolParams& params, T* y);

template <typename T>
Status RunLocalInstanceNormalization(const KernelContext& context, const T* x,
                                     const NchwShape& x_shape, const T* scale, const T* bias,
                                     const LocalInstanceNormalizationParams& params, T* y);

template <typename T>
Status RunLocalGroupNormalization(const KernelContext& context, const T* x,
                                  const NchwShape& x_shape, const T* scale, const T* bias,
                                  const LocalGroupNormalizationParams& params, T* y);

template <typename T>
Status RunLocalWindowPartition(const KernelContext& context, const T* x, const NchwShape& x_shape,
                               const KernelShape& kernel_shape, T* y);

template <typename T>
Status RunLocalWindowMerge(const KernelContext& context, const T* p, const NchwShape& p_shape,
                           const NchwShape& x_shape, T* y);

template <typename T>
Status RunReplicateScale(const KernelContext& context, const T* x, const NchwShape& x_shape,
                         const T* s, const NchwShape& s_shape, T* y);

}  // namespace tlsc::ort

#endif  // TLSC_ORT_BACKEND_H_
