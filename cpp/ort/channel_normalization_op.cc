#include "ort/channel_normalization_op.h"

#include "ort/backend.h"
#include "ort/normalization_tensors.h"

namespace tlsc::ort {
namespace {

ChannelNormalizationParams ParseParams(const KernelAttributes& attributes, bool centers) {
  ChannelNormalizationParams params;
  params.centers = centers;
  params.epsilon = attributes.Float("epsilon").value_or(params.epsilon);
  ThrowIfError(Validate(params));
  return params;
}

template <typename T>
void Normalize(const KernelContext& context, const ChannelNormalizationParams& params,
               Affine affine) {
  const NormalizationTensors<T> t(context, affine);
  Runner runner(context);
  ThrowIfError(kernels::ChannelNormalization(t.x, t.shape, t.scale, t.bias, params, runner, t.y));
}

void InferLikeInput(ShapeInference& inference) {
  if (const std::optional<Dims> dims = inference.NchwInput(0)) inference.SetOutput(0, *dims);
}

}  // namespace

template <typename T>
ChannelLayerNormalizationOp<T>::ChannelLayerNormalizationOp(const KernelAttributes& attributes)
    : params_(ParseParams(attributes, true)) {}

template <typename T>
void ChannelLayerNormalizationOp<T>::Compute(const KernelContext& context) const {
  Normalize<T>(context, params_, Affine::kScaleAndBias);
}

template <typename T>
void ChannelLayerNormalizationOp<T>::InferOutputShape(ShapeInference& inference) {
  InferLikeInput(inference);
}

template <typename T>
ChannelVarianceNormalizationOp<T>::ChannelVarianceNormalizationOp(
    const KernelAttributes& attributes)
    : params_(ParseParams(attributes, false)) {}

template <typename T>
void ChannelVarianceNormalizationOp<T>::Compute(const KernelContext& context) const {
  Normalize<T>(context, params_, Affine::kScale);
}

template <typename T>
void ChannelVarianceNormalizationOp<T>::InferOutputShape(ShapeInference& inference) {
  InferLikeInput(inference);
}

template class ChannelLayerNormalizationOp<float>;
template class ChannelLayerNormalizationOp<Float16>;
template class ChannelVarianceNormalizationOp<float>;
template class ChannelVarianceNormalizationOp<Float16>;

}  // namespace tlsc::ort
