#ifndef TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_OP_H_
#define TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_OP_H_

#include <array>

#include "kernels/local_instance_normalization.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalInstanceNormalization (X: float32 [N, C, H, W], scale: [C], B: [C]) → Y: like X
//   kernel_shape  two ints, required
//   epsilon       float, 1e-5 by default
//   max_stride    two ints; fast mode
class LocalInstanceNormalizationOp {
 public:
  static constexpr const char* kName = "LocalInstanceNormalization";
  static constexpr std::array kInputTypes = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                             ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                             ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};
  static constexpr std::array kOutputTypes = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};

  explicit LocalInstanceNormalizationOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalInstanceNormalizationParams params_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_OP_H_
