#ifndef TLSC_ORT_ATTRIBUTES_H_
#define TLSC_ORT_ATTRIBUTES_H_

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/window.h"

namespace tlsc::ort {

// The attributes of a node. ONNX Runtime hands them out in two ways, to a kernel that it creates
// and to shape inference; parsers take this interface and so are written once.
//
// Each getter answers nothing if the attribute is absent and throws if it is of another type.
class Attributes {
 public:
  virtual ~Attributes() = default;
  virtual std::optional<int64_t> Int(const char* name) const = 0;
  virtual std::optional<std::vector<int64_t>> Ints(const char* name) const = 0;
};

class KernelAttributes final : public Attributes {
 public:
  KernelAttributes(const OrtApi& api, const OrtKernelInfo& info) : api_(api), info_(info) {}

  std::optional<float> Float(const char* name) const;  // no output shape depends on a float
  std::optional<int64_t> Int(const char* name) const override;
  std::optional<std::vector<int64_t>> Ints(const char* name) const override;

 private:
  // Called when the typed getter has failed, which it does for two reasons alike.
  void ThrowIfPresent(const char* name, const char* expected) const;

  const OrtApi& api_;
  const OrtKernelInfo& info_;
};

class InferenceAttributes final : public Attributes {
 public:
  InferenceAttributes(const OrtApi& api, const OrtShapeInferContext& context)
      : api_(api), context_(context) {}

  std::optional<int64_t> Int(const char* name) const override;
  std::optional<std::vector<int64_t>> Ints(const char* name) const override;

 private:
  // Null if it is absent.
  const OrtOpAttr* Find(const char* name) const;

  const OrtApi& api_;
  const OrtShapeInferContext& context_;
};

// `kernel_shape`, which every windowed operator requires.
KernelShape ParseKernelShape(const Attributes& attributes);
// `max_stride`, which asks it for fast mode.
std::optional<MaxStride> ParseMaxStride(const Attributes& attributes);

}  // namespace tlsc::ort

#endif  // TLSC_ORT_ATTRIBUTES_H_
