#include "ort/local_average_pool_op.h"

#include "ort/backend.h"

namespace tlsc::ort {
namespace {

Padding ParsePadding(const Attributes& attributes) {
  const int64_t replicate = attributes.Int("replicate").value_or(1);
  if (replicate == 1) return Padding::kReplicate;
  if (replicate == 0) return Padding::kValid;
  throw StatusError(InvalidArgument("replicate", "0 or 1", std::to_string(replicate)));
}

LocalAveragePoolParams ParseParams(const Attributes& attributes) {
  const LocalAveragePoolParams params = {ParseKernelShape(attributes), ParsePadding(attributes),
                                         ParseMaxStride(attributes)};
  ThrowIfError(Validate(params));
  return params;
}

}  // namespace

template <typename T>
LocalAveragePoolOp<T>::LocalAveragePoolOp(const KernelAttributes& attributes)
    : params_(ParseParams(attributes)) {}

template <typename T>
void LocalAveragePoolOp<T>::Compute(const KernelContext& context) const {
  const InputTensor<T> x = context.Input<T>(0, "X");
  const NchwShape x_shape = ExpectNchw(x);
  T* y = context.Output<T>(0, LocalAveragePoolShape(x_shape, params_));
  Runner runner(context);
  ThrowIfError(kernels::LocalAveragePool(x.data, x_shape, params_, runner, y));
}

template <typename T>
void LocalAveragePoolOp<T>::InferOutputShape(ShapeInference& inference) {
  const LocalAveragePoolParams params = ParseParams(inference.attributes());
  std::optional<Dims> dims = inference.NchwInput(0);
  if (!dims) return;
  if (params.padding == Padding::kValid) {
    Dim& height = (*dims)[2];
    Dim& width = (*dims)[3];
    // No name in the model stands for H - kh + 1.
    if (!height.known() || !width.known()) return;
    const NchwShape y = LocalAveragePoolShape(
        {1, 1, static_cast<size_t>(height.size), static_cast<size_t>(width.size)}, params);
    height.size = static_cast<int64_t>(y.height);
    width.size = static_cast<int64_t>(y.width);
  }
  inference.SetOutput(0, *dims);
}

template class LocalAveragePoolOp<float>;
template class LocalAveragePoolOp<Float16>;

}  // namespace tlsc::ort
