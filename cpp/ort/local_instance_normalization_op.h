#ifndef TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_OP_H_
#define TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_OP_H_

#include <array>

#include "kernels/local_instance_normalization.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalInstanceNormalization (X: T [N, C, H, W], scale: T [C], B: T [C]) → Y: like X
//   T             float or Float16
//   kernel_shape  two ints, required
//   epsilon       float, 1e-5 by default
//   max_stride    two ints; fast mode
template <typename T>
class LocalInstanceNormalizationOp {
 public:
  static constexpr const char* kName = "LocalInstanceNormalization";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>, kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit LocalInstanceNormalizationOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalInstanceNormalizationParams params_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_OP_H_
