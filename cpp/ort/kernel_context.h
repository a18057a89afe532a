#ifndef TLSC_ORT_KERNEL_CONTEXT_H_
#define TLSC_ORT_KERNEL_CONTEXT_H_

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <vector>

#include "base/nchw_shape.h"
#include "base/parallel.h"

namespace tlsc::ort {

// A float32 input of the running node. The data is ONNX Runtime's.
struct InputTensor {
  const char* name;
  std::vector<int64_t> dims;
  const float* data;
};

// Throw, naming the input, unless it has the shape that the operator needs.
NchwShape ExpectNchw(const InputTensor& input);
void ExpectShape(const InputTensor& input, const std::vector<int64_t>& dims);

// What one execution of a node may use.
class KernelContext {
 public:
  KernelContext(const OrtApi& api, OrtKernelContext& context) : api_(api), context_(context) {}

  // `name` is the ONNX name of the parameter, for messages.
  InputTensor Input(size_t index, const char* name) const;
  // Allocates the output; its data is null or not if it has no elements.
  float* Output(size_t index, const NchwShape& shape) const;

  const OrtApi& api() const { return api_; }
  OrtKernelContext& context() const { return context_; }

 private:
  const OrtApi& api_;
  OrtKernelContext& context_;
};

// Runs tasks on the thread pool of the session.
class SessionLoop final : public ParallelLoop {
 public:
  explicit SessionLoop(const KernelContext& context) : context_(context) {}
  Status Run(size_t count, const Task& task) override;

 private:
  const KernelContext& context_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_KERNEL_CONTEXT_H_
