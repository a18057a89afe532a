#ifndef TLSC_ORT_LOCAL_WINDOW_PARTITION_OP_H_
#define TLSC_ORT_LOCAL_WINDOW_PARTITION_OP_H_

#include <array>

#include "kernels/local_windows.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalWindowPartition (X: T [N, C, H, W], place: int64 [4], optional)
//   → Y: T [N·R·Q, C, kh', kw']
//   T             float or Float16
//   kernel_shape  two ints, required
template <typename T>
class LocalWindowPartitionOp {
 public:
  static constexpr const char* kName = "LocalWindowPartition";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<int64_t>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit LocalWindowPartitionOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  KernelShape kernel_shape_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_WINDOW_PARTITION_OP_H_
