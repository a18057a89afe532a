#include "ort/local_instance_normalization_op.h"

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
  const InputTensor<T> x = context.Input<T>(0, "X");
  const InputTensor<T> scale = context.Input<T>(1, "scale");
  const InputTensor<T> bias = context.Input<T>(2, "B");
  const NchwShape shape = ExpectNchw(x);
  const std::vector<int64_t> per_channel = {x.dims[1]};
  ExpectShape(scale, per_channel);
  ExpectShape(bias, per_channel);
  T* y = context.Output<T>(0, shape);
  SessionLoop loop(context);
  ThrowIfError(LocalInstanceNormalization(x.data, shape, scale.data, bias.data, params_, loop, y));
}

template <typename T>
void LocalInstanceNormalizationOp<T>::InferOutputShape(ShapeInference& inference) {
  if (const std::optional<Dims> dims = inference.NchwInput(0)) inference.SetOutput(0, *dims);
}

template class LocalInstanceNormalizationOp<float>;
template class LocalInstanceNormalizationOp<Float16>;

}  // namespace tlsc::ort
