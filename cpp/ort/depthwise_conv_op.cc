#include "ort/depthwise_conv_op.h"

#include <string>

#include "ort/backend.h"

namespace tlsc::ort {

template <typename T, Gate kGate>
AnyDepthwiseConvOp<T, kGate>::AnyDepthwiseConvOp(const KernelAttributes& attributes)
    : group_(attributes.Int("group")) {}

template <typename T, Gate kGate>
void AnyDepthwiseConvOp<T, kGate>::Compute(const KernelContext& context) const {
  const InputTensor<T> x = context.Input<T>(0, "X");
  const InputTensor<T> weights = context.Input<T>(1, "W");
  const InputTensor<T> bias = context.Input<T>(2, "B");
  const NchwShape shape = ExpectNchw(x);
  if (group_ && *group_ != x.dims[1]) {
    throw StatusError(InvalidArgument("group", "the channels of X, " + std::to_string(x.dims[1]),
                                      std::to_string(*group_)));
  }
  ExpectShape(weights, {x.dims[1], 1, 3, 3});
  ExpectShape(bias, {x.dims[1]});
  T* y = context.Output<T>(0, DepthwiseConvShape(shape, kGate));
  Runner runner(context);
  ThrowIfError(kernels::DepthwiseConv(x.data, shape, weights.data, bias.data, kGate, runner, y));
}

template <typename T, Gate kGate>
void AnyDepthwiseConvOp<T, kGate>::InferOutputShape(ShapeInference& inference) {
  std::optional<Dims> dims = inference.NchwInput(0);
  if (!dims) return;
  if (kGate != Gate::kNone) {
    // Half of what only has a name has none.
    if (!(*dims)[1].known()) return;
    (*dims)[1].size /= 2;
  }
  inference.SetOutput(0, *dims);
}

template class AnyDepthwiseConvOp<float, Gate::kNone>;
template class AnyDepthwiseConvOp<float, Gate::kProduct>;
template class AnyDepthwiseConvOp<float, Gate::kGelu>;
template class AnyDepthwiseConvOp<Float16, Gate::kNone>;
template class AnyDepthwiseConvOp<Float16, Gate::kProduct>;
template class AnyDepthwiseConvOp<Float16, Gate::kGelu>;

}  // namespace tlsc::ort
