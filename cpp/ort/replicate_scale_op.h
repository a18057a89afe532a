#ifndef TLSC_ORT_REPLICATE_SCALE_OP_H_
#define TLSC_ORT_REPLICATE_SCALE_OP_H_

#include <array>

#include "kernels/replicate_scale.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.ReplicateScale (X: float32 [N, C, H, W], S: float32 [N, C, h, w]) → Y: float32 [N, C, H, W]
class ReplicateScaleOp {
 public:
  static constexpr const char* kName = "ReplicateScale";
  static constexpr std::array kInputTypes = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                             ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};
  static constexpr std::array kOutputTypes = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};

  explicit ReplicateScaleOp(const KernelAttributes&) {}
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_REPLICATE_SCALE_OP_H_
