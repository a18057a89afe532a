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

LocalInstanceNormalizationOp::LocalInstanceNormalizationOp(const KernelAttributes& attributes)
    : params_(ParseParams(attributes)) {}

void LocalInstanceNormalizationOp::Compute(const KernelContext& context) const {
  const InputTensor x = context.Input(0, "X");
  const InputTensor scale = context.Input(1, "scale");
  const InputTensor bias = context.Input(2, "B");
  const NchwShape shape = ExpectNchw(x);
  const std::vector<int64_t> per_channel = {x.dims[1]};
  ExpectShape(scale, per_channel);
  ExpectShape(bias, per_channel);
  float* y = context.Output(0, shape);
  SessionLoop loop(context);
  ThrowIfError(LocalInstanceNormalization(x.data, shape, scale.data, bias.data, params_, loop, y));
}

void LocalInstanceNormalizationOp::InferOutputShape(ShapeInference& inference) {
  if (const std::optional<Dims> dims = inference.NchwInput(0)) inference.SetFloatOutput(0, *dims);
}

}  // namespace tlsc::ort
