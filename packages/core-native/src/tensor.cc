#include "tensor.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "cuda_driver.h"
#include "shown_memory.h"

namespace tlsc {
namespace {

struct ElementType {
  std::string_view name;
  ONNXTensorElementDataType type;
  size_t size;
  napi_typedarray_type array;
};

constexpr ElementType kElementTypes[] = {
    {"float32", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, 4, napi_float32_array},
    {"float16", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, 2, napi_uint16_array},
    {"float64", ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 8, napi_float64_array},
    {"uint8", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, 1, napi_uint8_array},
    {"int8", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, 1, napi_int8_array},
    {"uint16", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, 2, napi_uint16_array},
    {"int16", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, 2, napi_int16_array},
    {"uint32", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, 4, napi_uint32_array},
    {"int32", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, 4, napi_int32_array},
    {"uint64", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, 8, napi_biguint64_array},
    {"int64", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, 8, napi_bigint64_array},
    {"bool", ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, 1, napi_uint8_array},
};

const ElementType* Find(ONNXTensorElementDataType type) {
  for (const ElementType& known : kElementTypes) {
    if (known.type == type) return &known;
  }
  return nullptr;
}

const ElementType* Find(std::string_view name) {
  for (const ElementType& known : kElementTypes) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

[[noreturn]] void Refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, "input " + name + ": " + why);
}

// The byte size that the dims call for, or SIZE_MAX when it does not fit.
size_t ByteSize(const std::vector<int64_t>& dims, size_t element_size) {
  size_t size = element_size;
  for (const int64_t dim : dims) {
    const size_t factor = static_cast<size_t>(dim);
    if (factor != 0 && size > std::numeric_limits<size_t>::max() / factor) {
      return std::numeric_limits<size_t>::max();
    }
    size *= factor;
  }
  return size;
}

bool MayHold(napi_typedarray_type array, const ElementType& type) {
  if (array == napi_uint8_clamped_array) return type.array == napi_uint8_array;
  return array == type.array;
}

struct TypedArray {
  void* data;
  size_t size;
  bool is_shared;
};

TypedArray ReadTypedArray(const std::string& name, const Napi::Value& value,
                          const ElementType& type) {
  if (!value.IsTypedArray()) Refuse(name, "data is not a typed array");
  napi_typedarray_type array = napi_uint8_array;
  void* data = nullptr;
  napi_value buffer = nullptr;
  // The raw call also takes arrays over a SharedArrayBuffer, which the wrapper class does not.
  if (napi_get_typedarray_info(value.Env(), value, &array, nullptr, &data, &buffer, nullptr) !=
          napi_ok ||
      !MayHold(array, type)) {
    Refuse(name, "data is not the kind of typed array that holds " + std::string(type.name));
  }
  return {data, value.As<Napi::TypedArray>().ByteLength(),
          !Napi::Value(value.Env(), buffer).IsArrayBuffer()};
}

struct Contents {
  const ElementType* type;
  std::vector<int64_t> dims;
  void* data;
};

// Throws kRunFailed when JavaScript has no tensor for it.
Contents Read(const Runtime& runtime, const OrtValue& tensor) {
  const OrtApi& api = runtime.api();
  OrtTensorTypeAndShapeInfo* info = nullptr;
  runtime.Check(api.GetTensorTypeAndShape(&tensor, &info), ErrorCode::kRunFailed);
  const OrtOwned<OrtTensorTypeAndShapeInfo> owned(info, api.ReleaseTensorTypeAndShapeInfo);
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  size_t rank = 0;
  runtime.Check(api.GetTensorElementType(info, &element), ErrorCode::kRunFailed);
  runtime.Check(api.GetDimensionsCount(info, &rank), ErrorCode::kRunFailed);
  std::vector<int64_t> dims(rank);
  runtime.Check(api.GetDimensions(info, dims.data(), rank), ErrorCode::kRunFailed);
  const ElementType* type = Find(element);
  if (type == nullptr)
    throw Error(ErrorCode::kRunFailed, "an output has an unsupported element type");
  return {type, std::move(dims), MemoryOf(runtime, tensor)};
}

Napi::Array ToJs(Napi::Env env, const std::vector<int64_t>& dims) {
  Napi::Array js_dims = Napi::Array::New(env, dims.size());
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    js_dims.Set(static_cast<uint32_t>(axis), static_cast<double>(dims[axis]));
  }
  return js_dims;
}

// Copies from wherever the tensor lies.
void CopyBytes(const Runtime& runtime, const OrtValue& tensor, const void* from, void* to,
               size_t size) {
  const std::optional<int> card = CardOf(runtime, tensor);
  if (!card) {
    std::memcpy(to, from, size);
    return;
  }
  try {
    cuda_driver::CopyToHost(*card, from, to, size);
  } catch (const Error& error) {
    throw Error(ErrorCode::kRunFailed,
                std::string("a tensor cannot be fetched from the card: ") + error.what());
  }
}

// What a handle's External points to. Garbage collection is told of the memory behind it.
class Handle {
 public:
  Handle(Napi::Env env, std::shared_ptr<const HeldTensor> tensor, size_t size)
      : tensor_(std::move(tensor)), size_(static_cast<int64_t>(size)) {
    Napi::MemoryManagement::AdjustExternalMemory(env, size_);
  }

  // Null once it is disposed of.
  const std::shared_ptr<const HeldTensor>& tensor() const { return tensor_; }

  void Dispose(Napi::Env env) {
    if (tensor_ == nullptr) return;
    tensor_.reset();
    Napi::MemoryManagement::AdjustExternalMemory(env, -size_);
  }

 private:
  std::shared_ptr<const HeldTensor> tensor_;
  int64_t size_;
};

// Says that an External really is a handle, so that foreign externals are refused.
constexpr napi_type_tag kHandleTag = {0x2b7c90d4e1684f03, 0xa51d3c7e08f9b642};

Handle* HandleIn(const Napi::Value& value) {
  using External = Napi::External<Handle>;
  if (!value.IsExternal() || !value.As<External>().CheckTypeTag(&kHandleTag)) return nullptr;
  return value.As<External>().Data();
}

}  // namespace

ONNXTensorElementDataType TypeOf(const std::string& name) {
  const ElementType* type = Find(name);
  if (type != nullptr) return type->type;
  throw Error(ErrorCode::kInvalidArgument, "element type " + name + " is not supported");
}

std::vector<int64_t> ReadDims(const std::string& name, const Napi::Array& array) {
  std::vector<int64_t> dims;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const double size = array.Get(i).ToNumber().DoubleValue();
    if (!(size >= 0) || size != std::floor(size) || size > 9007199254740991.0) {
      Refuse(name, "dimension " + std::to_string(i) + " is not a size");
    }
    dims.push_back(static_cast<int64_t>(size));
  }
  return dims;
}

std::string_view TypeName(ONNXTensorElementDataType type) {
  const ElementType* found = Find(type);
  return found == nullptr ? std::string_view() : found->name;
}

ArrayTensor ReadArrayTensor(const std::string& name, Napi::Object value) {
  const std::string type_name = value.Get("type").ToString();
  const ElementType* type = Find(type_name);
  if (type == nullptr) Refuse(name, "element type " + type_name + " is not supported");
  std::vector<int64_t> dims = ReadDims(name, value.Get("dims").As<Napi::Array>());
  const auto [data, size, is_shared] = ReadTypedArray(name, value.Get("data"), *type);
  if (size != ByteSize(dims, type->size)) {
    Refuse(name, "its dims do not fit its data of " + std::to_string(size) + " bytes");
  }
  return {type->type, std::move(dims), data, size, is_shared};
}

OrtTensor TensorOver(const Runtime& runtime, const ArrayTensor& array) {
  const OrtApi& api = runtime.api();
  OrtMemoryInfo* memory = nullptr;
  runtime.Check(api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory),
                ErrorCode::kRunFailed);
  const OrtOwned<OrtMemoryInfo> owned(memory, api.ReleaseMemoryInfo);
  static char nothing = 0;  // ONNX Runtime refuses a null pointer even for an empty tensor.
  OrtValue* tensor = nullptr;
  runtime.Check(api.CreateTensorWithDataAsOrtValue(memory, array.size == 0 ? &nothing : array.data,
                                                   array.size, array.dims.data(), array.dims.size(),
                                                   array.type, &tensor),
                ErrorCode::kInvalidArgument);
  return {tensor, api.ReleaseValue};
}

OrtTensor NewTensor(const Runtime& runtime, ONNXTensorElementDataType type,
                    const std::vector<int64_t>& dims) {
  const OrtApi& api = runtime.api();
  OrtValue* made = nullptr;
  runtime.Check(
      api.CreateTensorAsOrtValue(&runtime.tensor_memory(), dims.data(), dims.size(), type, &made),
      ErrorCode::kOutOfMemory);
  OrtTensor tensor(made, api.ReleaseValue);
  const size_t size = ByteSize(dims, Find(type)->size);
  // ONNX Runtime takes no memory for an answer.
  if (size > 0 && MemoryOf(runtime, *tensor) == nullptr) {
    throw Error(ErrorCode::kOutOfMemory,
                "no memory for a tensor: requested buffer of size " + std::to_string(size));
  }
  return tensor;
}

void* MemoryOf(const Runtime& runtime, const OrtValue& value) {
  const OrtApi& api = runtime.api();
  int is_tensor = 0;
  runtime.Check(api.IsTensor(&value, &is_tensor), ErrorCode::kRunFailed);
  if (is_tensor == 0) return nullptr;
  void* data = nullptr;
  // The C API has no call that reads only.
  runtime.Check(api.GetTensorMutableData(const_cast<OrtValue*>(&value), &data),
                ErrorCode::kRunFailed);
  return data;
}

bool SharesMemory(const Runtime& runtime, const OrtValue& a, const OrtValue& b) {
  const void* memory = MemoryOf(runtime, a);
  return memory != nullptr && memory == MemoryOf(runtime, b);
}

std::optional<int> CardOf(const Runtime& runtime, const OrtValue& tensor) {
  const OrtApi& api = runtime.api();
  const OrtMemoryInfo* memory = nullptr;
  runtime.Check(api.GetTensorMemoryInfo(&tensor, &memory), ErrorCode::kRunFailed);
  OrtMemoryInfoDeviceType device_type = OrtMemoryInfoDeviceType_CPU;
  api.MemoryInfoGetDeviceType(memory, &device_type);
  if (device_type == OrtMemoryInfoDeviceType_CPU) return std::nullopt;
  int card = 0;
  runtime.Check(api.MemoryInfoGetId(memory, &card), ErrorCode::kRunFailed);
  return card;
}

OrtTensor CopyOf(const Runtime& from, const OrtValue& tensor, const Runtime& to) {
  const auto [type, dims, data] = Read(from, tensor);
  OrtTensor copy = NewTensor(to, type->type, dims);
  CopyBytes(from, tensor, data, MemoryOf(to, *copy), ByteSize(dims, type->size));
  return copy;
}

Napi::Value TypedArrayOver(Napi::Env env, ONNXTensorElementDataType element,
                           std::shared_ptr<const void> owner, void* data, size_t size) {
  const ElementType& type = *Find(element);
  const napi_value buffer = ArrayBufferOver(env, std::move(owner), data, size);
  napi_value array = nullptr;
  if (napi_create_typedarray(env, type.array, size / type.size, buffer, 0, &array) != napi_ok) {
    throw Error(ErrorCode::kOutOfMemory, "cannot make an output array");
  }
  return {env, array};
}

Napi::Object ToJs(Napi::Env env, HeldTensor tensor) {
  const auto [type, dims, data] = Read(*tensor.runtime, *tensor.value);
  const size_t size = ByteSize(dims, type->size);
  const auto held = std::make_shared<const HeldTensor>(std::move(tensor));
  const Napi::Value array = TypedArrayOver(env, type->type, held, data, size);
  Napi::Object value = Napi::Object::New(env);
  value.Set("type", std::string(type->name));
  value.Set("dims", ToJs(env, dims));
  value.Set("data", array);
  return value;
}

Napi::Object ToJsHandle(Napi::Env env, HeldTensor tensor) {
  const auto [type, dims, data] = Read(*tensor.runtime, *tensor.value);
  auto held = std::make_shared<const HeldTensor>(std::move(tensor));
  auto made = std::make_unique<Handle>(env, std::move(held), ByteSize(dims, type->size));
  const auto finalize = [](Napi::Env of, Handle* pointer) {
    pointer->Dispose(of);
    delete pointer;
  };
  auto handle = Napi::External<Handle>::New(env, made.get(), finalize);
  made.release();  // The finalizer has it now.
  handle.TypeTag(&kHandleTag);
  Napi::Object value = Napi::Object::New(env);
  value.Set("type", std::string(type->name));
  value.Set("dims", ToJs(env, dims));
  value.Set("handle", handle);
  return value;
}

std::shared_ptr<const HeldTensor> FromHandle(const std::string& name, const Napi::Value& value) {
  const Handle* handle = HandleIn(value);
  if (handle == nullptr) Refuse(name, "not the handle of a tensor");
  if (handle->tensor() == nullptr) Refuse(name, "the tensor was disposed of");
  return handle->tensor();
}

std::shared_ptr<const HeldTensor> FromDeviceTensor(const std::string& name, Napi::Object value) {
  std::shared_ptr<const HeldTensor> tensor = FromHandle(name, value.Get("handle"));
  const auto [type, dims, data] = Read(*tensor->runtime, *tensor->value);
  if (value.Get("type").ToString().Utf8Value() != type->name ||
      ReadDims(name, value.Get("dims").As<Napi::Array>()) != dims) {
    Refuse(name, "not of the type and dims of the tensor that its handle stands for");
  }
  return tensor;
}

void DisposeHandle(const Napi::Value& value) {
  if (Handle* handle = HandleIn(value)) handle->Dispose(value.Env());
}

}  // namespace tlsc
