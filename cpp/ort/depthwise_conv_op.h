#ifndef TLSC_ORT_DEPTHWISE_CONV_OP_H_
#define TLSC_ORT_DEPTHWISE_CONV_OP_H_

#include <array>
#include <cstdint>
#include <optional>

#include "kernels/depthwise_conv.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.DepthwiseConv, without a gate, tlsc.DepthwiseConvGate and tlsc.DepthwiseConvGeluGate
// (X: T [N, C, H, W], W: T [C, 1, 3, 3], B: T [C]) → Y: T [N, C or C / 2, H, W]
//   T      float or Float16
//   group  int, C; the portable body needs it
template <typename T, Gate kGate>
class AnyDepthwiseConvOp {
 public:
  static constexpr const char* kName = kGate == Gate::kNone      ? "DepthwiseConv"
                                       : kGate == Gate::kProduct ? "DepthwiseConvGate"
                                                                 : "DepthwiseConvGeluGate";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>, kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit AnyDepthwiseConvOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  std::optional<int64_t> group_;
};

template <typename T>
using DepthwiseConvOp = AnyDepthwiseConvOp<T, Gate::kNone>;
template <typename T>
using DepthwiseConvGateOp = AnyDepthwiseConvOp<T, Gate::kProduct>;
template <typename T>
using DepthwiseConvGeluGateOp = AnyDepthwiseConvOp<T, Gate::kGelu>;

}  // namespace tlsc::ort

#endif  // TLSC_ORT_DEPTHWISE_CONV_OP_H_
