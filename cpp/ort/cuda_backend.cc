#include <cuda_runtime_api.h>

#include <memory>

#include "cuda/launch.h"
#include "cuda/local_average_pool.h"
#include "cuda/local_windows.h"
#include "cuda/normalizations.h"
#include "cuda/replicate_scale.h"
#include "ort/backend.h"
#include "ort/errors.h"

namespace tlsc::ort {
namespace {

int CurrentDevice() {
  int index = 0;
  ThrowIfError(cuda::ToStatus(cudaGetDevice(&index)));
  return index;
}

cuda::Device DeviceOf(int index) {
  cuda::Device device = {};
  ThrowIfError(cuda::QueryDevice(index, device));
  return device;
}

// On the stream that ONNX Runtime hands over, with memory of its allocator, which it takes back.
class NodeLaunch final : public cuda::Launch {
 public:
  explicit NodeLaunch(const KernelContext& context) : NodeLaunch(context, CurrentDevice()) {}

  Status Allocate(size_t bytes, void*& memory) override {
    const OrtApi& api = context_.api();
    OrtMemoryInfo* raw_info = nullptr;
    const OrtMemType type = OrtMemTypeDefault;
    if (Status status = TakeStatus(
            api, api.CreateMemoryInfo("Cuda", OrtDeviceAllocator, index_, type, &raw_info));
        !status.ok()) {
      return status;
    }
    const std::unique_ptr<OrtMemoryInfo, decltype(api.ReleaseMemoryInfo)> info(
        raw_info, api.ReleaseMemoryInfo);
    return TakeStatus(
        api, api.KernelContext_GetScratchBuffer(&context_.context(), info.get(), bytes, &memory));
  }

 private:
  NodeLaunch(const KernelContext& context, int index)
      : Launch(device_, StreamOf(context)),
        context_(context),
        index_(index),
        device_(DeviceOf(index)) {}

  static cudaStream_t StreamOf(const KernelContext& context) {
    void* stream = nullptr;
    const OrtApi& api = context.api();
    ThrowIfError(api, api.KernelContext_GetGPUComputeStream(&context.context(), &stream));
    return static_cast<cudaStream_t>(stream);
  }

  const KernelContext& context_;
  int index_;
  cuda::Device device_;
};

}  // namespace

const char* ExecutionProvider() { return "CUDAExecutionProvider"; }

template <typename T>
Status RunLocalAveragePool(const KernelContext& context, const T* x, const NchwShape& x_shape,
                           const LocalAveragePoolParams& params, T* y) {
  NodeLaunch launch(context);
  return cuda::LocalAveragePool(x, x_shape, params, launch, y);
}

template <typename T>
Status RunLocalInstanceNormalization(const KernelContext& context, const T* x,
                                     const NchwShape& x_shape, const T* scale, const T* bias,
                                     const LocalInstanceNormalizationParams& params, T* y) {
  NodeLaunch launch(context);
  return cuda::LocalInstanceNormalization(x, x_shape, scale, bias, params, launch, y);
}

template <typename T>
Status RunLocalGroupNormalization(const KernelContext& context, const T* x,
                                  const NchwShape& x_shape, const T* scale, const T* bias,
                                  const LocalGroupNormalizationParams& params, T* y) {
  NodeLaunch launch(context);
  return cuda::LocalGroupNormalization(x, x_shape, scale, bias, params, launch, y);
}

template <typename T>
Status RunLocalWindowPartition(const KernelContext& context, const T* x, const NchwShape& x_shape,
                               const KernelShape& kernel_shape, T* y) {
  NodeLaunch launch(context);
  return cuda::LocalWindowPartition(x, x_shape, kernel_shape, launch, y);
}

template <typename T>
Status RunLocalWindowMerge(const KernelContext& context, const T* p, const NchwShape& p_shape,
                           const NchwShape& x_shape, T* y) {
  NodeLaunch launch(context);
  return cuda::LocalWindowMerge(p, p_shape, x_shape, launch, y);
}

template <typename T>
Status RunReplicateScale(const KernelContext& context, const T* x, const NchwShape& x_shape,
                         const T* s, const NchwShape& s_shape, T* y) {
  NodeLaunch launch(context);
  return cuda::ReplicateScale(x, x_shape, s, s_shape, launch, y);
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
