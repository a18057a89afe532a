#ifndef TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_LEAKY_RELU_OP_H_
#define TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_LEAKY_RELU_OP_H_

#include <array>

#include "kernels/local_instance_normalization_leaky_relu.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalInstanceNormalizationLeakyRelu
//   (X: T [N, C, H, W], scale: T [C], B: T [C]) → Y: like X
// tlsc.LocalHalfInstanceNormalizationLeakyRelu
//   (X: T [N, C, H, W], scale: T [D], B: T [D]) → Y: like X, of which the first D channels are
//   normalized
//   T             float or Float16
//   kernel_shape  two ints, required
//   epsilon       float, 1e-5 by default
//   alpha         float, 0.01 by default
//   max_stride    two ints; fast mode
template <typename T, bool kHalf>
class NormalizationLeakyReluOp {
 public:
  static constexpr const char* kName =
      kHalf ? "LocalHalfInstanceNormalizationLeakyRelu" : "LocalInstanceNormalizationLeakyRelu";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>, kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit NormalizationLeakyReluOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalInstanceNormalizationParams params_;
  float alpha_;
};

template <typename T>
using LocalInstanceNormalizationLeakyReluOp = NormalizationLeakyReluOp<T, false>;
template <typename T>
using LocalHalfInstanceNormalizationLeakyReluOp = NormalizationLeakyReluOp<T, true>;

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_INSTANCE_NORMALIZATION_LEAKY_RELU_OP_H_
