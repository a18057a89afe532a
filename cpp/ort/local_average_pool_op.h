#ifndef TLSC_ORT_LOCAL_AVERAGE_POOL_OP_H_
#define TLSC_ORT_LOCAL_AVERAGE_POOL_OP_H_

#include <array>

#include "kernels/local_average_pool.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalAveragePool (X: T [N, C, H, W]) → Y: T
//   T             float or Float16
//   kernel_shape  two ints, required
//   replicate     int, 1 by default: Y is as large as X; 0: one value per position of the window
//   max_stride    two ints; fast mode
template <typename T>
class LocalAveragePoolOp {
 public:
  static constexpr const char* kName = "LocalAveragePool";
  static constexpr std::array kInputTypes = {kElementType<T>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit LocalAveragePoolOp(const KernelAttributes& attributes);
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);

 private:
  LocalAveragePoolParams params_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_AVERAGE_POOL_OP_H_
