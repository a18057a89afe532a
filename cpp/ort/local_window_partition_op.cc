#include "ort/local_window_partition_op.h"

#include <algorithm>

#include "ort/backend.h"

namespace tlsc::ort {
namespace {

KernelShape ParseValidKernelShape(const Attributes& attributes) {
  const KernelShape kernel_shape = ParseKernelShape(attributes);
  ThrowIfError(ValidateLocalWindowPartition(kernel_shape));
  return kernel_shape;
}

}  // namespace

template <typename T>
LocalWindowPartitionOp<T>::LocalWindowPartitionOp(const KernelAttributes& attributes)
    : kernel_shape_(ParseValidKernelShape(attributes)) {}

template <typename T>
void LocalWindowPartitionOp<T>::Compute(const KernelContext& context) const {
  const InputTensor<T> x = context.Input<T>(0, "X");
  const NchwShape x_shape = ExpectNchw(x);
  const PlanePlace place = ReadPlace(context, 1);
  // Before there is a shape of Y.
  ThrowIfError(ValidateLocalWindowPartition(x_shape, kernel_shape_, place));
  T* y = context.Output<T>(0, LocalWindowPartitionShape(x_shape, kernel_shape_, place));
  Runner runner(context);
  ThrowIfError(kernels::LocalWindowPartition(x.data, x_shape, kernel_shape_, runner, y, place));
}

template <typename T>
void LocalWindowPartitionOp<T>::InferOutputShape(ShapeInference& inference) {
  const KernelShape kernel_shape = ParseValidKernelShape(inference.attributes());
  if (inference.HasInput(1)) return;  // which says at run time how many windows there are
  const std::optional<Dims> x = inference.NchwInput(0);
  // No name in the model stands for N·R·Q, nor for the lesser of H and kh.
  if (!x || !std::all_of(x->begin(), x->end(), [](const Dim& dim) { return dim.known(); })) return;
  const auto size = [&](size_t axis) { return static_cast<size_t>((*x)[axis].size); };
  const NchwShape x_shape = {size(0), size(1), size(2), size(3)};
  if (!ValidateLocalWindowPartition(x_shape, kernel_shape).ok()) return;
  const NchwShape y = LocalWindowPartitionShape(x_shape, kernel_shape);
  const auto dim = [](size_t length) { return Dim{static_cast<int64_t>(length), ""}; };
  inference.SetOutput(0, {dim(y.batch), dim(y.channels), dim(y.height), dim(y.width)});
}

template class LocalWindowPartitionOp<float>;
template class LocalWindowPartitionOp<Float16>;

}  // namespace tlsc::ort
