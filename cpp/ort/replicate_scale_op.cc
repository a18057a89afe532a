#include "ort/replicate_scale_op.h"

#include "ort/backend.h"

namespace tlsc::ort {
namespace {

bool IsOne(const Dim& dim) { return dim.size == 1; }

// What a batch or a channel count is when both inputs have a say. Nothing where two names, or a
// name and a size, may stand for different sizes.
std::optional<Dim> Broadcast(const Dim& x, const Dim& s) {
  if (IsOne(x)) return s;
  if (IsOne(s)) return x;
  // Above 1 a size decides: the name beside it stands for that or for 1.
  if (x.known() && !s.known()) return x;
  if (s.known() && !x.known()) return s;
  if (x.size == s.size && x.name == s.name) return x;
  return std::nullopt;
}

}  // namespace

template <typename T>
void ReplicateScaleOp<T>::Compute(const KernelContext& context) const {
  const InputTensor<T> x = context.Input<T>(0, "X");
  const InputTensor<T> s = context.Input<T>(1, "S");
  const NchwShape x_shape = ExpectNchw(x);
  const NchwShape s_shape = ExpectNchw(s);
  ThrowIfError(ValidateReplicateScale(x_shape, s_shape));  // before there is a shape of Y
  T* y = context.Output<T>(0, ReplicateScaleShape(x_shape, s_shape));
  Runner runner(context);
  ThrowIfError(kernels::ReplicateScale(x.data, x_shape, s.data, s_shape, runner, y));
}

template <typename T>
void ReplicateScaleOp<T>::InferOutputShape(ShapeInference& inference) {
  const std::optional<Dims> x = inference.NchwInput(0);
  const std::optional<Dims> s = inference.NchwInput(1);
  if (!x || !s) return;
  const std::optional<Dim> batch = Broadcast((*x)[0], (*s)[0]);
  const std::optional<Dim> channels = Broadcast((*x)[1], (*s)[1]);
  if (batch && channels) inference.SetOutput(0, {*batch, *channels, (*x)[2], (*x)[3]});
}

template class ReplicateScaleOp<float>;
template class ReplicateScaleOp<Float16>;

}  // namespace tlsc::ort
