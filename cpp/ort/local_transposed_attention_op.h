#ifndef TLSC_ORT_LOCAL_TRANSPOSED_ATTENTION_OP_H_
#define TLSC_ORT_LOCAL_TRANSPOSED_ATTENTION_OP_H_

#include <array>

#include "kernels/local_transposed_attention.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalTransposedAttention
//   (X: T [N, 3·C, H, W], temperature: T [heads], place: int64 [4], optional) → Y: T [N, C, H, W]
//   T             float or Float16
//   kernel_shape  two ints, required
//   epsilon       float, 1e-12 by default
template <typename T>
class LocalTransposedAttentionOp {
 public:
  static constexpr const char* kName = "LocalTransposedAttention";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>,
                                             kElementType<int64_t>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit LocalTransposedAttentionOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalTransposedAttentionParams params_;
};

// tlsc.LocalTransposedAttentionPointwiseConvAdd: the same, and the convolution behind it
//   (X: T [N, 3·C, H, W], temperature: T [heads], W: T [K, C, 1, 1], B: T [K], gamma: T [K],
//    R: T [N, K, H, W], place: int64 [4], optional) → Y: T [N, K, H, W]
template <typename T>
class LocalTransposedAttentionPointwiseConvAddOp {
 public:
  static constexpr const char* kName = "LocalTransposedAttentionPointwiseConvAdd";
  static constexpr std::array kInputTypes = {kElementType<T>,      kElementType<T>, kElementType<T>,
                                             kElementType<T>,      kElementType<T>, kElementType<T>,
                                             kElementType<int64_t>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit LocalTransposedAttentionPointwiseConvAddOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalTransposedAttentionParams params_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_TRANSPOSED_ATTENTION_OP_H_
