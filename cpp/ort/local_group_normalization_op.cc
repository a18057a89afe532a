#include "ort/local_group_normalization_op.h"

#include <optional>

#include "ort/backend.h"
#include "ort/normalization_tensors.h"

namespace tlsc::ort {
namespace {

LocalGroupNormalizationParams ParseParams(const KernelAttributes& attributes) {
  const std::optional<int64_t> num_groups = attributes.Int("num_groups");
  if (!num_groups) {
    throw StatusError(InvalidArgument("num_groups", "an integer", "no such attribute"));
  }
  LocalGroupNormalizationParams params = {ParseKernelShape(attributes), *num_groups};
  params.epsilon = attributes.Float("epsilon").value_or(params.epsilon);
  ThrowIfError(Validate(params));
  return params;
}

}  // namespace

template <typename T>
LocalGroupNormalizationOp<T>::LocalGroupNormalizationOp(const KernelAttributes& attributes)
    : params_(ParseParams(attributes)) {}

template <typename T>
void LocalGroupNormalizationOp<T>::Compute(const KernelContext& context) const {
  const NormalizationTensors<T> t(context);
  Runner runner(context);
  ThrowIfError(
      kernels::LocalGroupNormalization(t.x, t.shape, t.scale, t.bias, params_, runner, t.y));
}

template <typename T>
void LocalGroupNormalizationOp<T>::InferOutputShape(ShapeInference& inference) {
  if (const std::optional<Dims> dims = inference.NchwInput(0)) inference.SetOutput(0, *dims);
}

template class LocalGroupNormalizationOp<float>;
template class LocalGroupNormalizationOp<Float16>;

}  // namespace tlsc::ort
