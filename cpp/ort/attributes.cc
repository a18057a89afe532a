#include "ort/attributes.h"

#include <array>
#include <string>

#include "ort/errors.h"

namespace tlsc::ort {
namespace {

constexpr const char* kAnInteger = "an integer";
constexpr const char* kIntegers = "a list of integers";
constexpr const char* kTwoIntegers = "a list of two integers";

// Frees the status and says whether there was none.
bool Succeeded(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) return true;
  api.ReleaseStatus(status);
  return false;
}

[[noreturn]] void ThrowOtherType(const char* name, const char* expected) {
  throw StatusError(InvalidArgument(name, expected, "an attribute of another type"));
}

std::optional<std::array<int64_t, 2>> ParsePair(const Attributes& attributes, const char* name) {
  const auto values = attributes.Ints(name);
  if (!values) return std::nullopt;
  if (values->size() != 2) {
    throw StatusError(
        InvalidArgument(name, kTwoIntegers, std::to_string(values->size()) + " of them"));
  }
  return {{(*values)[0], (*values)[1]}};
}

}  // namespace

std::optional<float> KernelAttributes::Float(const char* name) const {
  float value;
  if (Succeeded(api_, api_.KernelInfoGetAttribute_float(&info_, name, &value))) return value;
  ThrowIfPresent(name, "a float");
  return std::nullopt;
}

std::optional<int64_t> KernelAttributes::Int(const char* name) const {
  int64_t value;
  if (Succeeded(api_, api_.KernelInfoGetAttribute_int64(&info_, name, &value))) return value;
  ThrowIfPresent(name, kAnInteger);
  return std::nullopt;
}

std::optional<std::vector<int64_t>> KernelAttributes::Ints(const char* name) const {
  size_t size = 0;
  if (Succeeded(api_, api_.KernelInfoGetAttributeArray_int64(&info_, name, nullptr, &size))) {
    std::vector<int64_t> values(size);
    ThrowIfError(api_, api_.KernelInfoGetAttributeArray_int64(&info_, name, values.data(), &size));
    return values;
  }
  ThrowIfPresent(name, kIntegers);
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

const OrtOpAttr* InferenceAttributes::Find(const char* name) const {
  const OrtOpAttr* attribute = nullptr;
  const bool found =
      Succeeded(api_, api_.ShapeInferContext_GetAttribute(&context_, name, &attribute));
  return found ? attribute : nullptr;
}

std::optional<int64_t> InferenceAttributes::Int(const char* name) const {
  const OrtOpAttr* attribute = Find(name);
  if (attribute == nullptr) return std::nullopt;
  int64_t value;
  size_t size = 0;
  if (!Succeeded(api_, api_.ReadOpAttr(attribute, ORT_OP_ATTR_INT, &value, sizeof(value), &size))) {
    ThrowOtherType(name, kAnInteger);
  }
  return value;
}

std::optional<std::vector<int64_t>> InferenceAttributes::Ints(const char* name) const {
  const OrtOpAttr* attribute = Find(name);
  if (attribute == nullptr) return std::nullopt;
  std::vector<int64_t> values(1);
  const auto read = [&](size_t& size) {
    return api_.ReadOpAttr(attribute, ORT_OP_ATTR_INTS, values.data(),
                           values.size() * sizeof(int64_t), &size);
  };
  // The first call may fail for want of room, having set the size; or for the type, having not.
  size_t size = 0;
  if (!Succeeded(api_, read(size))) {
    if (size == 0) ThrowOtherType(name, kIntegers);
    values.resize(size / sizeof(int64_t));
    ThrowIfError(api_, read(size));
  }
  values.resize(size / sizeof(int64_t));
  return values;
}

KernelShape ParseKernelShape(const Attributes& attributes) {
  if (const auto sides = ParsePair(attributes, "kernel_shape")) return *sides;
  throw StatusError(InvalidArgument("kernel_shape", kTwoIntegers, "no such attribute"));
}

std::optional<MaxStride> ParseMaxStride(const Attributes& attributes) {
  return ParsePair(attributes, "max_stride");
}

}  // namespace tlsc::ort
