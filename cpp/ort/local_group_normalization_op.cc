#include "ort/local_group_normalization_op.h"

#include <optional>

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
  const InputTensor<T> x = context.Input<T>(0, "X");
  const InputTensor<T> scale = context.Input<T>(1, "scale");
  const InputTensor<T> bias = context.Input<T>(2, "B");
  const NchwShape shape = ExpectNchw(x);
  const std::vector<int64_t> per_channel = {x.dims[1]};
  ExpectShape(scale, per_channel);
  ExpectShape(bias, per_channel);
  T* y = context.Output<T>(0, shape);
  SessionLoop loop(context);
  ThrowIfError(LocalGroupNormalization(x.data, shape, scale.data, bias.data, params_, loop, y));
}

template <typename T>
void LocalGroupNormalizationOp<T>::InferOutputShape(ShapeInference& inference) {
  if (const std::optional<Dims> dims = inference.NchwInput(0)) inference.SetOutput(0, *dims);
}

template class LocalGroupNormalizationOp<float>;
template class LocalGroupNormalizationOp<Float16>;

}  // namespace tlsc::ort
