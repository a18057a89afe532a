#ifndef TLSC_ORT_REPLICATE_SCALE_OP_H_
#define TLSC_ORT_REPLICATE_SCALE_OP_H_

#include <array>

#include "kernels/replicate_scale.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.ReplicateScale (X: T [N, C, H, W], S: T [N, C, h, w]) → Y: T [N, C, H, W]; T is float or
// Float16
template <typename T>
class ReplicateScaleOp {
 public:
  static constexpr const char* kName = "ReplicateScale";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit ReplicateScaleOp(const KernelAttributes&) {}
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_REPLICATE_SCALE_OP_H_
