#ifndef TLSC_ORT_LOCAL_AVERAGE_POOL_OP_H_
#define TLSC_ORT_LOCAL_AVERAGE_POOL_OP_H_

#include <array>

#include "kernels/local_average_pool.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalAveragePool (X: float32 [N, C, H, W]) → Y: float32
//   kernel_shape  two ints, required
//   replicate     int, 1 by default: Y is as large as X; 0: one value per position of the window
//   max_stride    two ints; fast mode
class LocalAveragePoolOp {
 public:
  static constexpr const char* kName = "LocalAveragePool";
  static constexpr std::array kInputTypes = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};
  static constexpr std::array kOutputTypes = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};

  explicit LocalAveragePoolOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalAveragePoolParams params_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_AVERAGE_POOL_OP_H_
