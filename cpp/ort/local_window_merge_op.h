#ifndef TLSC_ORT_LOCAL_WINDOW_MERGE_OP_H_
#define TLSC_ORT_LOCAL_WINDOW_MERGE_OP_H_

#include <array>

#include "kernels/local_windows.h"
#include "ort/custom_op.h"

namespace tlsc::ort {

// tlsc.LocalWindowMerge (P: T [N·R·Q, C, kh', kw'], X: T [N, C, H, W], place: int64 [4], optional)
//   → Y: like X, of which only the shape is read; T is float or Float16
template <typename T>
class LocalWindowMergeOp {
 public:
  static constexpr const char* kName = "LocalWindowMerge";
  static constexpr std::array kInputTypes = {kElementType<T>, kElementType<T>,
                                             kElementType<int64_t>};
  static constexpr std::array kOutputTypes = {kElementType<T>};

  explicit LocalWindowMergeOp(const KernelAttributes&) {}
  void Compute(const KernelContext& context) const;
  static void InferOutputShape(ShapeInference& inference);
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_LOCAL_WINDOW_MERGE_OP_H_
