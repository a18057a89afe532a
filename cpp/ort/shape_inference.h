#ifndef TLSC_ORT_SHAPE_INFERENCE_H_
#define TLSC_ORT_SHAPE_INFERENCE_H_

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ort/attributes.h"

namespace tlsc::ort {

// A dimension as the model declares it: its size, or -1 and the name that stands for it.
struct Dim {
  int64_t size;
  std::string name;  // empty when the size is known

  bool known() const { return size >= 0; }
};
using Dims = std::vector<Dim>;

// What an operator may ask and answer while a model is being loaded.
//
// An operator that cannot tell an output's shape leaves it unset. The two other ways out do harm: a
// size of -1 makes ONNX Runtime warn at every run that the shape came out different, and an
// invented name may equal one in the model, whose memory planner then takes the two sizes for one.
class ShapeInference {
 public:
  ShapeInference(const OrtApi& api, OrtShapeInferContext& context)
      : api_(api), context_(context), attributes_(api, context) {}

  const Attributes& attributes() const { return attributes_; }

  // Whether the node has this input, which is optional.
  bool HasInput(size_t index) const;

  // Nothing if the input is not known to be [N, C, H, W], or a dimension is neither known nor
  // named.
  std::optional<Dims> NchwInput(size_t index) const;

  // An output of this shape and the element type of input 0, which is that of every operator here.
  // Operators of one name are one to ONNX Runtime's inference, whatever their types: it asks any of
  // them.
  void SetOutput(size_t index, const Dims& dims);

 private:
  const OrtApi& api_;
  OrtShapeInferContext& context_;
  InferenceAttributes attributes_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_SHAPE_INFERENCE_H_
