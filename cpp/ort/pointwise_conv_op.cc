#include "ort/pointwise_conv_op.h"

#include <optional>

#include "ort/backend.h"

namespace tlsc::ort {

template <typename T, Before kBefore, Behind kBehind>
AnyPointwiseConvOp<T, kBefore, kBehind>::AnyPointwiseConvOp(const KernelAttributes& attributes) {
  params_.normalizes = kBefore != Before::kNothing;
  params_.gates = kBehind == Behind::kGate;
  params_.norm.centers = kBefore != Before::kVarianceNorm;
  if (params_.normalizes) {
    params_.norm.epsilon = attributes.Float("epsilon").value_or(params_.norm.epsilon);
  }
  ThrowIfError(Validate(params_.norm));
}

template <typename T, Before kBefore, Behind kBehind>
void AnyPointwiseConvOp<T, kBefore, kBehind>::Compute(const KernelContext& context) const {
  size_t next = 0;
  const auto take = [&](const char* name) { return context.Input<T>(next++, name); };
  const InputTensor<T> x = take("X");
  const NchwShape shape = ExpectNchw(x);
  PointwiseConvTensors<T> tensors = {};
  tensors.x = x.data;
  const auto take_for = [&](const char* name, int64_t count) {
    const InputTensor<T> input = take(name);
    ExpectShape(input, {count});
    return input.data;
  };
  if (kBefore != Before::kNothing) tensors.scale = take_for("scale", x.dims[1]);
  if (kBefore == Before::kLayerNorm) tensors.shift = take_for("shift", x.dims[1]);
  const InputTensor<T> weights = take("W");
  const int64_t outputs = weights.dims.empty() ? 0 : weights.dims[0];
  ExpectShape(weights, {outputs, x.dims[1], 1, 1});
  tensors.weights = weights.data;
  tensors.bias = take_for("B", outputs);
  const auto count = static_cast<size_t>(outputs);
  const NchwShape y_shape = PointwiseConvShape(shape, count, params_);
  if (kBehind == Behind::kAdd) {
    tensors.gamma = take_for("gamma", outputs);
    const InputTensor<T> residual = take("R");
    ExpectShape(residual, {x.dims[0], outputs, x.dims[2], x.dims[3]});
    tensors.residual = residual.data;
  }
  T* y = context.Output<T>(0, y_shape);
  SessionLoop loop(context);
  ThrowIfError(PointwiseConv(tensors, shape, count, params_, loop, y));
}

template <typename T, Before kBefore, Behind kBehind>
void AnyPointwiseConvOp<T, kBefore, kBehind>::InferOutputShape(ShapeInference& inference) {
  constexpr size_t kWeights = kInputs - 2 - (kBehind == Behind::kAdd ? 2 : 0);
  std::optional<Dims> dims = inference.NchwInput(0);
  const std::optional<Dims> weights = inference.NchwInput(kWeights);
  if (!dims || !weights) return;
  Dim outputs = (*weights)[0];
  if (kBehind == Behind::kGate) {
    // Half of what only has a name has none.
    if (!outputs.known()) return;
    outputs.size /= 2;
  }
  (*dims)[1] = outputs;
  inference.SetOutput(0, *dims);
}

template class AnyPointwiseConvOp<float, Before::kNothing, Behind::kNothing>;
template class AnyPointwiseConvOp<float, Before::kNothing, Behind::kGate>;
template class AnyPointwiseConvOp<float, Before::kNothing, Behind::kAdd>;
template class AnyPointwiseConvOp<float, Before::kLayerNorm, Behind::kNothing>;
template class AnyPointwiseConvOp<float, Before::kLayerNorm, Behind::kGate>;
template class AnyPointwiseConvOp<float, Before::kVarianceNorm, Behind::kNothing>;
template class AnyPointwiseConvOp<Float16, Before::kNothing, Behind::kNothing>;
template class AnyPointwiseConvOp<Float16, Before::kNothing, Behind::kGate>;
template class AnyPointwiseConvOp<Float16, Before::kNothing, Behind::kAdd>;
template class AnyPointwiseConvOp<Float16, Before::kLayerNorm, Behind::kNothing>;
template class AnyPointwiseConvOp<Float16, Before::kLayerNorm, Behind::kGate>;
template class AnyPointwiseConvOp<Float16, Before::kVarianceNorm, Behind::kNothing>;

}  // namespace tlsc::ort
