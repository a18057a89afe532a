#ifndef TLSC_ORT_LOCAL_GROUP_NORMALIZATION_OP_H_
#define TLSC_ORT_LOCAL_GROUP_NORMALIZATION_OP_H_

#include <array>

#include "kernels/local_group_normalization.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalGroupNormalization (X: T [N, C, H, W], scale: T [C], B: T [C]) → Y: like X
//   T             float or Float16
//   kernel_shape  two ints, required
//   epsilon       float, 1e-5 by default
//   num_groups    int, required; divides C
template <typename T>
class LocalGroupNormalizationOp {
 public:
  static constexpr const char* kName = "LocalGroupNormalization";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>, kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit LocalGroupNormalizationOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalGroupNormalizationParams params_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_GROUP_NORMALIZATION_OP_H_
