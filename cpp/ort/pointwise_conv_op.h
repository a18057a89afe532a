#ifndef TLSC_ORT_POINTWISE_CONV_OP_H_
#define TLSC_ORT_POINTWISE_CONV_OP_H_

#include <array>

#include "kernels/pointwise_conv.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// What stands in front of a pointwise convolution, and behind it.
enum class Before { kNothing, kLayerNorm, kVarianceNorm };
enum class Behind { kNothing, kGate, kAdd };

constexpr const char* PointwiseConvName(Before before, Behind behind) {
  if (before == Before::kLayerNorm) {
    return behind == Behind::kGate ? "LayerNormPointwiseConvGate" : "LayerNormPointwiseConv";
  }
  if (before == Before::kVarianceNorm) return "VarianceNormPointwiseConv";
  return behind == Behind::kGate  ? "PointwiseConvGate"
         : behind == Behind::kAdd ? "PointwiseConvAdd"
                                  : "PointwiseConv";
}

template <size_t kCount>
constexpr std::array<ONNXTensorElementDataType, kCount> AllOf(ONNXTensorElementDataType type) {
  std::array<ONNXTensorElementDataType, kCount> types = {};
  for (ONNXTensorElementDataType& one : types) one = type;
  return types;
}

// tlsc.PointwiseConv and its kinds, named by what they do:
//   [LayerNorm|VarianceNorm]PointwiseConv[Gate|Add]
//   (X: T [N, C, H, W], of LayerNorm scale and shift: T [C], of VarianceNorm scale,
//    W: T [K, C, 1, 1], B: T [K], of Add gamma: T [K] and R: T [N, K, H, W])
//   → Y: T [N, K, H, W], of Gate [N, K / 2, H, W]
//   T        float or Float16
//   epsilon  float, 1e-5 by default; of those that normalize
template <typename T, Before kBefore, Behind kBehind>
class AnyPointwiseConvOp {
 public:
  static constexpr const char* kName = PointwiseConvName(kBefore, kBehind);
  static constexpr size_t kInputs = 3 +
                                    (kBefore == Before::kLayerNorm      ? 2
                                     : kBefore == Before::kVarianceNorm ? 1
                                                                        : 0) +
                                    (kBehind == Behind::kAdd ? 2 : 0);
  static constexpr auto kInputTypes = AllOf<kInputs>(kElementType<T>);
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit AnyPointwiseConvOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  PointwiseConvParams params_;
};

template <typename T>
using PointwiseConvOp = AnyPointwiseConvOp<T, Before::kNothing, Behind::kNothing>;
template <typename T>
using PointwiseConvGateOp = AnyPointwiseConvOp<T, Before::kNothing, Behind::kGate>;
template <typename T>
using PointwiseConvAddOp = AnyPointwiseConvOp<T, Before::kNothing, Behind::kAdd>;
template <typename T>
using LayerNormPointwiseConvOp = AnyPointwiseConvOp<T, Before::kLayerNorm, Behind::kNothing>;
template <typename T>
using LayerNormPointwiseConvGateOp = AnyPointwiseConvOp<T, Before::kLayerNorm, Behind::kGate>;
template <typename T>
using VarianceNormPointwiseConvOp = AnyPointwiseConvOp<T, Before::kVarianceNorm, Behind::kNothing>;

}  // namespace tlsc::ort

#endif  // TLSC_ORT_POINTWISE_CONV_OP_H_
