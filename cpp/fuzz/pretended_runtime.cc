#include "fuzz/pretended_runtime.h"

#include <algorithm>
#include <cstring>

#include "ort/register.h"

namespace tlsc {
namespace {

struct Failed {
  OrtErrorCode code;
  std::string message;
};

size_t unreleased = 0;
std::vector<const OrtCustomOp*> operators;

OrtStatus* Fail(OrtErrorCode code, const char* message) {
  ++unreleased;
  return reinterpret_cast<OrtStatus*>(new Failed{code, message});
}

const PretendedNode& NodeOf(const void* opaque) {
  return *static_cast<const PretendedNode*>(opaque);
}

const PretendedShape& ShapeOf(const OrtTensorTypeAndShapeInfo* info) {
  return *reinterpret_cast<const PretendedShape*>(info);
}

PretendedShape& ShapeOf(OrtTensorTypeAndShapeInfo* info) {
  return *reinterpret_cast<PretendedShape*>(info);
}

const PretendedAttribute* Find(const PretendedNode& node, const char* name) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? nullptr : &found->second;
}

template <typename T>
OrtStatus* GetOne(const OrtKernelInfo* info, const char* name, T* out) {
  const PretendedAttribute* attribute = Find(NodeOf(info), name);
  const T* value = attribute == nullptr ? nullptr : std::get_if<T>(attribute);
  if (value == nullptr) return Fail(ORT_FAIL, "no attribute of this name and type");
  *out = *value;
  return nullptr;
}

// Without `out` the size alone, as the real one.
template <typename Values, typename T>
OrtStatus* GetSome(const OrtKernelInfo* info, const char* name, T* out, size_t* size) {
  const PretendedAttribute* attribute = Find(NodeOf(info), name);
  const Values* values = attribute == nullptr ? nullptr : std::get_if<Values>(attribute);
  if (values == nullptr) return Fail(ORT_FAIL, "no attribute of this name and type");
  const size_t room = *size;
  *size = values->size();
  if (out == nullptr) return nullptr;
  if (room < values->size()) return Fail(ORT_INVALID_ARGUMENT, "too little room");
  std::copy(values->begin(), values->end(), out);
  return nullptr;
}

template <typename T>
OrtStatus* CopyTo(const T* values, size_t count, void* out, size_t room, size_t* bytes) {
  *bytes = count * sizeof(T);
  if (room < *bytes) return Fail(ORT_INVALID_ARGUMENT, "too little room");
  if (count > 0) std::memcpy(out, values, *bytes);
  return nullptr;
}

OrtStatus* ReadAttribute(const OrtOpAttr* opaque, OrtOpAttrType type, void* out, size_t room,
                         size_t* bytes) noexcept {
  const auto& attribute = *reinterpret_cast<const PretendedAttribute*>(opaque);
  if (type == ORT_OP_ATTR_INT) {
    if (const auto* value = std::get_if<int64_t>(&attribute)) {
      return CopyTo(value, 1, out, room, bytes);
    }
  }
  if (type == ORT_OP_ATTR_INTS) {
    if (const auto* values = std::get_if<std::vector<int64_t>>(&attribute)) {
      return CopyTo(values->data(), values->size(), out, room, bytes);
    }
  }
  return Fail(ORT_INVALID_ARGUMENT, "of another type");
}

OrtStatus* GetOutput(OrtKernelContext* context, size_t, const int64_t* dims, size_t count,
                     OrtValue** out) noexcept {
  // More than this nobody has memory for, and fuzzing no time.
  constexpr int64_t kMostElements = int64_t{1} << 22;
  PretendedValue value;
  int64_t elements = 1;
  for (size_t i = 0; i < count; ++i) {
    if (dims[i] == 0) elements = 0;
  }
  for (size_t i = 0; i < count; ++i) {
    if (dims[i] < 0) return Fail(ORT_INVALID_ARGUMENT, "a negative dimension");
    if (elements > 0 && dims[i] > kMostElements / elements) return Fail(ORT_FAIL, "no memory");
    elements *= dims[i] > 0 ? dims[i] : 1;
    value.shape.dims.push_back(dims[i]);
  }
  auto& node = *reinterpret_cast<PretendedNode*>(context);
  value.shape.type = node.inputs.front().shape.type;
  const size_t bytes = value.shape.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT ? 4 : 2;
  value.bytes.resize(static_cast<size_t>(elements) * bytes);
  node.output = std::move(value);
  *out = reinterpret_cast<OrtValue*>(&*node.output);
  return nullptr;
}

OrtApi MakeApi() {
  OrtApi api{};
  api.CreateStatus = [](OrtErrorCode code, const char* message) noexcept {
    return Fail(code, message);
  };
  api.GetErrorCode = [](const OrtStatus* status) noexcept { return CodeOf(status); };
  api.GetErrorMessage = [](const OrtStatus* status) noexcept {
    return reinterpret_cast<const Failed*>(status)->message.c_str();
  };
  api.ReleaseStatus = [](OrtStatus* status) noexcept {
    if (status == nullptr) return;
    --unreleased;
    delete reinterpret_cast<Failed*>(status);
  };

  static int domain;
  api.CreateCustomOpDomain = [](const char*, OrtCustomOpDomain** out) noexcept -> OrtStatus* {
    *out = reinterpret_cast<OrtCustomOpDomain*>(&domain);
    return nullptr;
  };
  api.CustomOpDomain_Add = [](OrtCustomOpDomain*, const OrtCustomOp* op) noexcept -> OrtStatus* {
    operators.push_back(op);
    return nullptr;
  };
  api.AddCustomOpDomain = [](OrtSessionOptions*, OrtCustomOpDomain*) noexcept
                          -> OrtStatus* { return nullptr; };

  api.KernelInfoGetAttribute_float = [](const OrtKernelInfo* info, const char* name,
                                        float* out) noexcept { return GetOne(info, name, out); };
  api.KernelInfoGetAttribute_int64 = [](const OrtKernelInfo* info, const char* name,
                                        int64_t* out) noexcept { return GetOne(info, name, out); };
  api.KernelInfoGetAttribute_string = [](const OrtKernelInfo* info, const char* name, char* out,
                                         size_t* size) noexcept {
    return GetSome<std::string>(info, name, out, size);
  };
  api.KernelInfoGetAttributeArray_float = [](const OrtKernelInfo* info, const char* name,
                                             float* out, size_t* size) noexcept {
    return GetSome<std::vector<float>>(info, name, out, size);
  };
  api.KernelInfoGetAttributeArray_int64 = [](const OrtKernelInfo* info, const char* name,
                                             int64_t* out, size_t* size) noexcept {
    return GetSome<std::vector<int64_t>>(info, name, out, size);
  };

  api.ShapeInferContext_GetAttribute = [](const OrtShapeInferContext* context, const char* name,
                                          const OrtOpAttr** out) noexcept -> OrtStatus* {
    const PretendedAttribute* attribute = Find(NodeOf(context), name);
    if (attribute == nullptr) return Fail(ORT_INVALID_ARGUMENT, "no such attribute");
    *out = reinterpret_cast<const OrtOpAttr*>(attribute);
    return nullptr;
  };
  api.ReadOpAttr = ReadAttribute;
  api.ShapeInferContext_GetInputCount = [](const OrtShapeInferContext* context,
                                           size_t* out) noexcept -> OrtStatus* {
    *out = NodeOf(context).declared_inputs.size();
    return nullptr;
  };
  api.ShapeInferContext_GetInputTypeShape = [](const OrtShapeInferContext* context, size_t index,
                                               OrtTensorTypeAndShapeInfo** out) noexcept
                                            -> OrtStatus* {
                                              const auto& inputs = NodeOf(context).declared_inputs;
                                              if (index >= inputs.size())
                                                return Fail(ORT_INVALID_ARGUMENT, "no such input");
                                              *out = reinterpret_cast<OrtTensorTypeAndShapeInfo*>(
                                                  const_cast<PretendedShape*>(&inputs[index]));
                                              return nullptr;
                                            };
  api.ShapeInferContext_SetOutputTypeShape =
      [](const OrtShapeInferContext* context, size_t,
         const OrtTensorTypeAndShapeInfo* info) noexcept -> OrtStatus* {
        auto* node = const_cast<PretendedNode*>(&NodeOf(context));
        node->inferred_output = ShapeOf(info);
        return nullptr;
      };

  api.CreateTensorTypeAndShapeInfo = [](OrtTensorTypeAndShapeInfo** out) noexcept -> OrtStatus* {
    ++unreleased;
    *out = reinterpret_cast<OrtTensorTypeAndShapeInfo*>(new PretendedShape);
    return nullptr;
  };
  api.ReleaseTensorTypeAndShapeInfo = [](OrtTensorTypeAndShapeInfo* info) noexcept {
    if (info == nullptr) return;
    --unreleased;
    delete &ShapeOf(info);
  };
  api.GetTensorElementType = [](const OrtTensorTypeAndShapeInfo* info,
                                ONNXTensorElementDataType* out) noexcept -> OrtStatus* {
    *out = ShapeOf(info).type;
    return nullptr;
  };
  api.SetTensorElementType = [](OrtTensorTypeAndShapeInfo* info,
                                ONNXTensorElementDataType type) noexcept -> OrtStatus* {
    ShapeOf(info).type = type;
    return nullptr;
  };
  api.GetDimensionsCount = [](const OrtTensorTypeAndShapeInfo* info, size_t* out) noexcept
                           -> OrtStatus* {
                             *out = ShapeOf(info).dims.size();
                             return nullptr;
                           };
  api.GetDimensions = [](const OrtTensorTypeAndShapeInfo* info, int64_t* out, size_t count) noexcept
                      -> OrtStatus* {
                        std::copy_n(ShapeOf(info).dims.begin(), count, out);
                        return nullptr;
                      };
  api.SetDimensions = [](OrtTensorTypeAndShapeInfo* info, const int64_t* dims,
                         size_t count) noexcept -> OrtStatus* {
    ShapeOf(info).dims.assign(dims, dims + count);
    return nullptr;
  };
  api.GetSymbolicDimensions = [](const OrtTensorTypeAndShapeInfo* info, const char** out,
                                 size_t count) noexcept -> OrtStatus* {
    for (size_t i = 0; i < count; ++i) out[i] = ShapeOf(info).names[i].c_str();
    return nullptr;
  };
  api.SetSymbolicDimensions = [](OrtTensorTypeAndShapeInfo* info, const char** names,
                                 size_t count) noexcept -> OrtStatus* {
    ShapeOf(info).names.assign(names, names + count);
    return nullptr;
  };

  api.KernelContext_GetInputCount = [](const OrtKernelContext* context, size_t* out) noexcept
                                    -> OrtStatus* {
                                      *out = NodeOf(context).inputs.size();
                                      return nullptr;
                                    };
  api.KernelContext_GetInput = [](const OrtKernelContext* context, size_t index,
                                  const OrtValue** out) noexcept -> OrtStatus* {
    const auto& inputs = NodeOf(context).inputs;
    *out = index < inputs.size() ? reinterpret_cast<const OrtValue*>(&inputs[index]) : nullptr;
    return nullptr;
  };
  api.KernelContext_GetOutput = GetOutput;
  api.GetTensorTypeAndShape = [](const OrtValue* value,
                                 OrtTensorTypeAndShapeInfo** out) noexcept -> OrtStatus* {
    ++unreleased;
    const auto& shape = reinterpret_cast<const PretendedValue*>(value)->shape;
    *out = reinterpret_cast<OrtTensorTypeAndShapeInfo*>(new PretendedShape(shape));
    return nullptr;
  };
  api.GetTensorMutableData = [](OrtValue* value, void** out) noexcept -> OrtStatus* {
    auto& bytes = reinterpret_cast<PretendedValue*>(value)->bytes;
    *out = bytes.empty() ? nullptr : bytes.data();
    return nullptr;
  };
  api.KernelContext_ParallelFor = [](const OrtKernelContext*, void (*run)(void*, size_t),
                                     size_t count, size_t, void* state) noexcept -> OrtStatus* {
    for (size_t i = 0; i < count; ++i) run(state, i);
    return nullptr;
  };
  return api;
}

const OrtApi& Api() {
  static const OrtApi api = MakeApi();
  return api;
}

}  // namespace

const std::vector<const OrtCustomOp*>& PretendedOperators() {
  if (!operators.empty()) return operators;
  static const OrtApiBase base = {[](uint32_t) noexcept { return &Api(); },
                                  []() noexcept { return "1.21.0"; }};
  // Nothing that is pretended here fails at this.
  (void)TakeMessage(RegisterCustomOps(nullptr, &base));
  return operators;
}

OrtKernelInfo* AsKernelInfo(PretendedNode& node) { return reinterpret_cast<OrtKernelInfo*>(&node); }

OrtShapeInferContext* AsShapeInferContext(PretendedNode& node) {
  return reinterpret_cast<OrtShapeInferContext*>(&node);
}

OrtKernelContext* AsKernelContext(PretendedNode& node) {
  return reinterpret_cast<OrtKernelContext*>(&node);
}

OrtErrorCode CodeOf(const OrtStatus* status) {
  return reinterpret_cast<const Failed*>(status)->code;
}

std::optional<std::string> TakeMessage(OrtStatus* status) {
  if (status == nullptr) return std::nullopt;
  std::string message = reinterpret_cast<Failed*>(status)->message;
  Api().ReleaseStatus(status);
  return message;
}

size_t UnreleasedObjects() { return unreleased; }

}  // namespace tlsc
