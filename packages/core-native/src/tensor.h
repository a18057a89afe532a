#ifndef TLSC_CORE_NATIVE_TENSOR_H_
#define TLSC_CORE_NATIVE_TENSOR_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "napi_setup.h"
#include "session.h"

namespace tlsc {

// onnxruntime-common's name of an element type; empty for one that JavaScript tensors cannot hold.
std::string_view TypeName(ONNXTensorElementDataType type);

// The inverse: throws kInvalidArgument for a name that is none of these.
ONNXTensorElementDataType TypeOf(const std::string& name);

// Throws kInvalidArgument, `name` in its message, for what is no list of sizes.
std::vector<int64_t> ReadDims(const std::string& name, const Napi::Array& dims);

// What `{type, dims, data}` says; `data` points into JavaScript's memory.
struct ArrayTensor {
  ONNXTensorElementDataType type;
  std::vector<int64_t> dims;
  void* data;
  size_t size;     // in bytes
  bool is_shared;  // a SharedArrayBuffer
};

// Throws kInvalidArgument when the type is unknown or `data` has not the bytes that `dims` call
// for.
ArrayTensor ReadArrayTensor(const std::string& name, Napi::Object value);

// A tensor over that memory, nothing copied.
OrtTensor TensorOver(const Runtime& runtime, const ArrayTensor& array);

// A tensor in ordinary memory that no session holds, its values whatever they are. Throws
// kOutOfMemory.
OrtTensor NewTensor(const Runtime& runtime, ONNXTensorElementDataType type,
                    const std::vector<int64_t>& dims);

// Null when the value is no tensor.
void* MemoryOf(const Runtime& runtime, const OrtValue& value);

// A tensor of a runtime and, where it must not outlive it, the session that it came from.
struct HeldTensor {
  const Runtime* runtime;
  std::shared_ptr<const Session> session;
  OrtTensor value;
};

// Whether both are tensors over the same memory.
bool SharesMemory(const Runtime& runtime, const OrtValue& a, const OrtValue& b);

// The card that the tensor lies on; none where it lies in ordinary memory.
std::optional<int> CardOf(const Runtime& runtime, const OrtValue& tensor);

// A copy for runtime `to`, in ordinary memory of its own, of a tensor of runtime `from` that may
// lie on a card. Waits for it.
OrtTensor CopyOf(const Runtime& from, const OrtValue& tensor, const Runtime& to);

// A typed array over memory of ours, which `owner` keeps until JavaScript collects the array.
Napi::Value TypedArrayOver(Napi::Env env, ONNXTensorElementDataType type,
                           std::shared_ptr<const void> owner, void* data, size_t size);

// `{type, dims, data}` over the tensor's own memory, which is freed when JavaScript collects
// `data`.
Napi::Object ToJs(Napi::Env env, HeldTensor tensor);

// `{type, dims, handle}` of a tensor that stays where it is until JavaScript collects `handle` or
// disposes of it.
Napi::Object ToJsHandle(Napi::Env env, HeldTensor tensor);

// What a handle stands for. Throws kInvalidArgument when it is no handle, or is disposed of.
std::shared_ptr<const HeldTensor> FromHandle(const std::string& name, const Napi::Value& handle);

// What the handle of `{type, dims, handle}` stands for; refused when that is of another type or of
// other dims.
std::shared_ptr<const HeldTensor> FromDeviceTensor(const std::string& name, Napi::Object value);

// Lets go of the tensor. Runs under way keep it until they end; again, it does nothing.
void DisposeHandle(const Napi::Value& handle);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_TENSOR_H_
