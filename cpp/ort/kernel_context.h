#ifndef TLSC_ORT_KERNEL_CONTEXT_H_
#define TLSC_ORT_KERNEL_CONTEXT_H_

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "kernels/window.h"

namespace tlsc::ort {

// ONNX Runtime's name of the element type T of a tensor; images are of the first two.
template <typename T>
inline constexpr ONNXTensorElementDataType kElementType = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
template <>
inline constexpr ONNXTensorElementDataType kElementType<float> =
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
template <>
inline constexpr ONNXTensorElementDataType kElementType<Float16> =
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;

// Of inputs that say something about the others: whole numbers, in ordinary memory, optional.
template <>
inline constexpr ONNXTensorElementDataType kElementType<int64_t> =
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;

// An input of the running node, whatever its element type.
struct InputShape {
  const char* name;
  std::vector<int64_t> dims;
};

// The same with its data, which is ONNX Runtime's.
template <typename T>
struct InputTensor : InputShape {
  const T* data;
};

// Throw, naming the input, unless it has the shape that the operator needs.
NchwShape ExpectNchw(const InputShape& input);
void ExpectShape(const InputShape& input, const std::vector<int64_t>& dims);

class KernelContext;

// The input `index` of an operator on windows: where images are pieces of larger ones, their first
// row and column, height and width of the larger ones; all 0, or no input, where they are no
// pieces.
PlanePlace ReadPlace(const KernelContext& context, size_t index);

// What one execution of a node may use.
class KernelContext {
 public:
  KernelContext(const OrtApi& api, OrtKernelContext& context) : api_(api), context_(context) {}

  // `name` is the ONNX name of the parameter, for messages.
  template <typename T>
  InputTensor<T> Input(size_t index, const char* name) const {
    const void* data = nullptr;
    InputShape shape = InputOf(kElementType<T>, index, name, data);
    return {std::move(shape), static_cast<const T*>(data)};
  }

  // Whether the node has this input, which is optional.
  bool HasInput(size_t index) const;

  // Allocates the output; its data is null or not if it has no elements.
  template <typename T>
  T* Output(size_t index, const NchwShape& shape) const {
    return static_cast<T*>(OutputOf(index, shape));
  }

  const OrtApi& api() const { return api_; }
  OrtKernelContext& context() const { return context_; }

 private:
  InputShape InputOf(ONNXTensorElementDataType type, size_t index, const char* name,
                     const void*& data) const;
  void* OutputOf(size_t index, const NchwShape& shape) const;

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
