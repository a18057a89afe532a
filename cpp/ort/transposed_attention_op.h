#ifndef TLSC_ORT_TRANSPOSED_ATTENTION_OP_H_
#define TLSC_ORT_TRANSPOSED_ATTENTION_OP_H_

#include <array>

#include "kernels/local_transposed_attention.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// The types of so many tensors, and of a place behind them where windows have one.
template <typename T, size_t kTensors, bool kLocal>
constexpr auto AttentionInputTypes() {
  std::array<ONNXTensorElementDataType, kTensors + (kLocal ? 1 : 0)> types = {};
  for (size_t i = 0; i < kTensors; ++i) types[i] = kElementType<T>;
  if constexpr (kLocal) types[kTensors] = kElementType<int64_t>;
  return types;
}

// tlsc.TransposedAttention, in one window, which is the plane
//   (X: T [N, 3·C, H, W], temperature: T [heads]) → Y: T [N, C, H, W]
//   T             float or Float16
//   epsilon       float, 1e-12 by default
// tlsc.LocalTransposedAttention
//   (X, temperature, place: int64 [4], optional) → Y
//   kernel_shape  two ints, required
template <typename T, bool kLocal>
class AttentionOp {
 public:
  static constexpr const char* kName = kLocal ? "LocalTransposedAttention" : "TransposedAttention";
  static constexpr auto kInputTypes = AttentionInputTypes<T, 2, kLocal>();
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit AttentionOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalTransposedAttentionParams params_;
};

// tlsc.TransposedAttentionPointwiseConvAdd, tlsc.LocalTransposedAttentionPointwiseConvAdd: the
// same, and the convolution behind it
//   (X: T [N, 3·C, H, W], temperature: T [heads], W: T [K, C, 1, 1], B: T [K], gamma: T [K],
//    R: T [N, K, H, W], place: int64 [4], optional) → Y: T [N, K, H, W]
template <typename T, bool kLocal>
class AttentionPointwiseConvAddOp {
 public:
  static constexpr const char* kName =
      kLocal ? "LocalTransposedAttentionPointwiseConvAdd" : "TransposedAttentionPointwiseConvAdd";
  static constexpr auto kInputTypes = AttentionInputTypes<T, 6, kLocal>();
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit AttentionPointwiseConvAddOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalTransposedAttentionParams params_;
};

template <typename T>
using TransposedAttentionOp = AttentionOp<T, false>;
template <typename T>
using LocalTransposedAttentionOp = AttentionOp<T, true>;
template <typename T>
using TransposedAttentionPointwiseConvAddOp = AttentionPointwiseConvAddOp<T, false>;
template <typename T>
using LocalTransposedAttentionPointwiseConvAddOp = AttentionPointwiseConvAddOp<T, true>;

}  // namespace tlsc::ort

#endif  // TLSC_ORT_TRANSPOSED_ATTENTION_OP_H_
