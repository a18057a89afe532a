#include "ort/attributes.h"

#include <algorithm>
#include <cstring>

#include "ort/errors.h"

namespace tlsc::ort {
namespace {

// Frees the status and says whether there was none.
bool Succeeded(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) return true;
  api.ReleaseStatus(status);
  return false;
}

[[noreturn]] void ThrowOtherType(const char* name, const char* expected) {
  throw StatusError(InvalidArgument(name, expected, "an attribute of another type"));
}

}  // namespace

std::optional<float> KernelAttributes::Float(const char* name) const {
  float value;
  if (Succeeded(api_, api_.KernelInfoGetAttribute_float(&info_, name, &value))) return value;
  ThrowIfPresent(name, "a float");
  return std::nullopt;
}

std::optional<std::string> KernelAttributes::String(const char* name) const {
  size_t size = 0;  // with the terminating zero
  if (Succeeded(api_, api_.KernelInfoGetAttribute_string(&info_, name, nullptr, &size))) {
    std::string value(size, '\0');
    ThrowIfError(api_, api_.KernelInfoGetAttribute_string(&info_, name, value.data(), &size));
    value.resize(std::strlen(value.c_str()));
    return value;
  }
  ThrowIfPresent(name, "a string");
  return std::nullopt;
}

std::optional<std::vector<int64_t>> KernelAttributes::Ints(const char* name) const {
  size_t size = 0;
  if (Succeeded(api_, api_.KernelInfoGetAttributeArray_int64(&info_, name, nullptr, &size))) {
    std::vector<int64_t> values(size);
    ThrowIfError(api_, api_.KernelInfoGetAttributeArray_int64(&info_, name, values.data(), &size));
    return values;
  }
  ThrowIfPresent(name, "a list of integers");
  return std::nullopt;
}

// There is no call that asks for an attribute's type, so try the types. Without this, `epsilon`
// written as an integer would pass for absent, and the default be used in silence.
void KernelAttributes::ThrowIfPresent(const char* name, const char* expected) const {
  float float_value;
  int64_t int_value;
  size_t size = 0;
  if (Succeeded(api_, api_.KernelInfoGetAttribute_float(&info_, name, &float_value)) ||
      Succeeded(api_, api_.KernelInfoGetAttribute_int64(&info_, name, &int_value)) ||
      Succeeded(api_, api_.KernelInfoGetAttribute_string(&info_, name, nullptr, &size)) ||
      Succeeded(api_, api_.KernelInfoGetAttributeArray_float(&info_, name, nullptr, &size)) ||
      Succeeded(api_, api_.KernelInfoGetAttributeArray_int64(&info_, name, nullptr, &size))) {
    ThrowOtherType(name, expected);
  }
}

std::optional<std::vector<char>> InferenceAttributes::Read(const char* name, OrtOpAttrType type,
                                                           const char* expected) const {
  const OrtOpAttr* attribute = nullptr;
  if (!Succeeded(api_, api_.ShapeInferContext_GetAttribute(&context_, name, &attribute))) {
    return std::nullopt;
  }
  // The first call fails for want of room, having set the size; or for the type, having not.
  std::vector<char> bytes(1);
  size_t size = 0;
  if (!Succeeded(api_, api_.ReadOpAttr(attribute, type, bytes.data(), bytes.size(), &size))) {
    if (size == 0) ThrowOtherType(name, expected);
    bytes.resize(size);
    ThrowIfError(api_, api_.ReadOpAttr(attribute, type, bytes.data(), bytes.size(), &size));
  }
  bytes.resize(size);
  return bytes;
}

std::optional<std::string> InferenceAttributes::String(const char* name) const {
  const auto bytes = Read(name, ORT_OP_ATTR_STRING, "a string");
  if (!bytes) return std::nullopt;
  // 1.21 counts a terminating zero, later versions do not.
  return std::string(bytes->begin(), std::find(bytes->begin(), bytes->end(), '\0'));
}

std::optional<std::vector<int64_t>> InferenceAttributes::Ints(const char* name) const {
  const auto bytes = Read(name, ORT_OP_ATTR_INTS, "a list of integers");
  if (!bytes) return std::nullopt;
  std::vector<int64_t> values(bytes->size() / sizeof(int64_t));
  std::memcpy(values.data(), bytes->data(), values.size() * sizeof(int64_t));
  return values;
}

KernelShape ParseKernelShape(const Attributes& attributes) {
  const char* const expected = "a list of two integers";
  const auto values = attributes.Ints("kernel_shape");
  if (!values) throw StatusError(InvalidArgument("kernel_shape", expected, "no such attribute"));
  if (values->size() != 2) {
    throw StatusError(
        InvalidArgument("kernel_shape", expected, std::to_string(values->size()) + " of them"));
  }
  return {(*values)[0], (*values)[1]};
}

}  // namespace tlsc::ort
