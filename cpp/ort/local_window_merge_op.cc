#include "ort/local_window_merge_op.h"

#include "ort/backend.h"

namespace tlsc::ort {

template <typename T>
void LocalWindowMergeOp<T>::Compute(const KernelContext& context) const {
  const InputTensor<T> p = context.Input<T>(0, "P");
  const InputTensor<T> x = context.Input<T>(1, "X");
  const NchwShape p_shape = ExpectNchw(p);
  const NchwShape x_shape = ExpectNchw(x);
  const PlanePlace place = ReadPlace(context, 2);
  ThrowIfError(ValidateLocalWindowMerge(p_shape, x_shape, place));  // before there is an output
  T* y = context.Output<T>(0, x_shape);
  Runner runner(context);
  ThrowIfError(kernels::LocalWindowMerge(p.data, p_shape, x_shape, runner, y, place));
}

template <typename T>
void LocalWindowMergeOp<T>::InferOutputShape(ShapeInference& inference) {
  if (const std::optional<Dims> x = inference.NchwInput(1)) inference.SetOutput(0, *x);
}

template class LocalWindowMergeOp<float>;
template class LocalWindowMergeOp<Float16>;

}  // namespace tlsc::ort
