#ifndef TLSC_ORT_BACKEND_H_
#define TLSC_ORT_BACKEND_H_

// What runs the operators of a library: the processor or a card. Adapters are compiled for each; to
// them it is a namespace of kernels, and what the kernels need of a node that runs.
#ifdef TLSC_CUDA
#include "cuda/channel_normalization.h"
#include "cuda/depthwise_conv.h"
#include "cuda/local_average_pool.h"
#include "cuda/local_windows.h"
#include "cuda/normalizations.h"
#include "cuda/replicate_scale.h"
#include "ort/node_launch.h"

namespace tlsc::ort {

namespace kernels = tlsc::cuda;
using Runner = NodeLaunch;
// ONNX Runtime's name of those whose tensors the operators take.
inline constexpr const char* kExecutionProvider = "CUDAExecutionProvider";

}  // namespace tlsc::ort
#else
#include "kernels/channel_normalization.h"
#include "kernels/depthwise_conv.h"
#include "kernels/local_average_pool.h"
#include "kernels/local_group_normalization.h"
#include "kernels/local_instance_normalization.h"
#include "kernels/local_windows.h"
#include "kernels/replicate_scale.h"
#include "kernels/target.h"
#include "ort/kernel_context.h"

namespace tlsc::ort {

namespace kernels = tlsc;
using Runner = SessionLoop;
inline constexpr const char* kExecutionProvider = nullptr;  // the CPU's

}  // namespace tlsc::ort
#endif

#endif  // TLSC_ORT_BACKEND_H_
