#ifndef TLSC_CORE_NATIVE_TENSOR_H_
#define TLSC_CORE_NATIVE_TENSOR_H_

#include <string>
#include <string_view>
#include <vector>

#include "napi_setup.h"
#include "session.h"

namespace tlsc {

// onnxruntime-common's name of an element type; empty for one that JavaScript tensors cannot hold.
std::string_view TypeName(ONNXTensorElementDataType type);

// A tensor over the memory of `{type, dims, data}`, nothing copied: `data` must stay referenced
// while it lives. Throws kInvalidArgument when the type is unknown or `data` has not the bytes that
// `dims` call for.
OrtTensor TensorOver(const Runtime& runtime, const std::string& name, Napi::Object value);

// Whether both are tensors over the same memory.
bool SharesMemory(const Runtime& runtime, const OrtValue& a, const OrtValue& b);

// A tensor like this one of TensorOver() in memory of its own.
OrtTensor CopyOf(const Runtime& runtime, const OrtValue& tensor);

// `{type, dims, data}` over the tensor's own memory, which is freed when JavaScript collects
// `data`. Copied only where the host forbids foreign memory in array buffers (Electron does).
Napi::Object ToJs(Napi::Env env, const Runtime& runtime, OrtTensor tensor);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_TENSOR_H_
