#ifndef TLSC_ORT_CHANNEL_NORMALIZATION_OP_H_
#define TLSC_ORT_CHANNEL_NORMALIZATION_OP_H_

#include <array>

#include "kernels/channel_normalization.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.ChannelLayerNormalization (X: T [N, C, H, W], scale: T [C], B: T [C]) → Y: like X
//   T        float or Float16
//   epsilon  float, 1e-5 by default
template <typename T>
class ChannelLayerNormalizationOp {
 public:
  static constexpr const char* kName = "ChannelLayerNormalization";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>, kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit ChannelLayerNormalizationOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  ChannelNormalizationParams params_;
};

// tlsc.ChannelVarianceNormalization (X: T [N, C, H, W], scale: T [C]) → Y: like X
//   T        float or Float16
//   epsilon  float, 1e-5 by default
template <typename T>
class ChannelVarianceNormalizationOp {
 public:
  static constexpr const char* kName = "ChannelVarianceNormalization";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit ChannelVarianceNormalizationOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  ChannelNormalizationParams params_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_CHANNEL_NORMALIZATION_OP_H_
