#include "ort/local_instance_normalization_op.h"

#include "ort/backend.h"
#include "ort/normalization_tensors.h"

namespace tlsc::ort {
namespace {

LocalInstanceNormalizationParams ParseParams(const KernelAttributes& attributes) {
  LocalInstanceNormalizationParams params = {ParseKernelShape(attributes)};
  params.epsilon = attributes.Float("epsilon").value_or(params.epsilon);
  params.max_stride = ParseMaxStride(attributes);
  ThrowIfError(Validate(params));
  return params;
}

}  // namespace

template <typename T>
LocalInstanceNormalizationOp<T>::LocalInstanceNormalizationOp(const KernelAttributes& attributes)
    : params_(ParseParams(attributes)) {}

template <typename T>
void LocalInstanceNormalizationOp<T>::Compute(const KernelContext& context) const {
  const NormalizationTensors<T> t(context);
  Runner runner(context);
  ThrowIfError(
      kernels::LocalInstanceNormalization(t.x, t.shape, t.scale, t.bias, params_, runner, t.y));
}

template <typename T>
void LocalInstanceNormalizationOp<T>::InferOutputShape(ShapeInference& inference) {
  if (const std::optional<Dims> dims = inference.NchwInput(0)) inference.SetOutput(0, *dims);
}

template class LocalInstanceNormalizationOp<float>;
template class LocalInstanceNormalizationOp<Float16>;

}  // namespace tlsc::ort
