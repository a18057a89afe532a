#include "ort/local_instance_normalization_leaky_relu_op.h"

#include <optional>

#include "ort/backend.h"

namespace tlsc::ort {

template <typename T, bool kHalf>
NormalizationLeakyReluOp<T, kHalf>::NormalizationLeakyReluOp(const KernelAttributes& attributes)
    : params_{ParseKernelShape(attributes)}, alpha_(attributes.Float("alpha").value_or(0.01f)) {
  params_.epsilon = attributes.Float("epsilon").value_or(params_.epsilon);
  params_.max_stride = ParseMaxStride(attributes);
  ThrowIfError(Validate(params_));
  ThrowIfError(ValidateAlpha(alpha_));
}

template <typename T, bool kHalf>
void NormalizationLeakyReluOp<T, kHalf>::Compute(const KernelContext& context) const {
  const InputTensor<T> x = context.Input<T>(0, "X");
  const NchwShape shape = ExpectNchw(x);
  const InputTensor<T> scale = context.Input<T>(1, "scale");
  const int64_t given = scale.dims.empty() ? 0 : scale.dims[0];
  const int64_t normalized = kHalf ? given : x.dims[1];
  ExpectShape(scale, {normalized});
  const InputTensor<T> bias = context.Input<T>(2, "B");
  ExpectShape(bias, {normalized});
  T* y = context.Output<T>(0, shape);
  SessionLoop loop(context);
  ThrowIfError(LocalInstanceNormalizationLeakyRelu(x.data, shape, static_cast<size_t>(normalized),
                                                   scale.data, bias.data, params_, alpha_, loop,
                                                   y));
}

template <typename T, bool kHalf>
void NormalizationLeakyReluOp<T, kHalf>::InferOutputShape(ShapeInference& inference) {
  if (const std::optional<Dims> dims = inference.NchwInput(0)) inference.SetOutput(0, *dims);
}

template class NormalizationLeakyReluOp<float, false>;
template class NormalizationLeakyReluOp<float, true>;
template class NormalizationLeakyReluOp<Float16, false>;
template class NormalizationLeakyReluOp<Float16, true>;

}  // namespace tlsc::ort
