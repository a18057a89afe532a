#include "ort/transposed_attention_op.h"

#include <algorithm>

#include "kernels/local_windows.h"
#include "ort/backend.h"

namespace tlsc::ort {
namespace {

// Their number of heads is that of the temperatures, which are an input; the window of those that
// are not local is that of X.
template <bool kLocal>
LocalTransposedAttentionParams ParseParams(const KernelAttributes& attributes) {
  LocalTransposedAttentionParams params = {{1, 1}, 1};
  if constexpr (kLocal) params.kernel_shape = ParseKernelShape(attributes);
  params.epsilon = attributes.Float("epsilon").value_or(params.epsilon);
  ThrowIfError(Validate(params));
  return params;
}

// What both operators read first.
template <typename T, bool kLocal>
struct Images {
  Images(const KernelContext& context, const LocalTransposedAttentionParams& of)
      : x(context.Input<T>(0, "X")), shape(ExpectNchw(x)), params(of) {
    const InputTensor<T> temperature = context.Input<T>(1, "temperature");
    const int64_t heads = temperature.dims.empty() ? 0 : temperature.dims[0];
    ExpectShape(temperature, {heads});
    params.heads = static_cast<size_t>(heads);
    if constexpr (!kLocal) {
      params.kernel_shape = {std::max<int64_t>(x.dims[2], 1), std::max<int64_t>(x.dims[3], 1)};
    }
    tensors.x = x.data;
    tensors.temperature = temperature.data;
  }

  InputTensor<T> x;
  NchwShape shape;
  LocalTransposedAttentionParams params;
  LocalTransposedAttentionTensors<T> tensors = {};
};

// What is not known to be refused has a shape of Y. `place_index`: the input behind the tensors.
template <typename T, bool kLocal>
void Attend(const KernelContext& context, const Images<T, kLocal>& images, size_t outputs,
            [[maybe_unused]] size_t place_index) {
  const auto& [x, shape, params, tensors] = images;
  PlanePlace place;
  if constexpr (kLocal) place = ReadPlace(context, place_index);
  // Before there is a Y; this is not told of any.
  ThrowIfError(ValidateLocalWindowPartition(shape, params.kernel_shape, place));
  T* y = context.Output<T>(0, {shape.batch, outputs, shape.height, shape.width});
  SessionLoop loop(context);
  ThrowIfError(LocalTransposedAttention(tensors, shape, outputs, params, loop, y, place));
}

}  // namespace

template <typename T, bool kLocal>
AttentionOp<T, kLocal>::AttentionOp(const KernelAttributes& attributes)
    : params_(ParseParams<kLocal>(attributes)) {}

template <typename T, bool kLocal>
void AttentionOp<T, kLocal>::Compute(const KernelContext& context) const {
  const Images<T, kLocal> images(context, params_);
  Attend(context, images, images.shape.channels / 3, 2);
}

template <typename T, bool kLocal>
void AttentionOp<T, kLocal>::InferOutputShape(ShapeInference& inference) {
  std::optional<Dims> dims = inference.NchwInput(0);
  // A third of what only has a name has none.
  if (!dims || !(*dims)[1].known()) return;
  (*dims)[1].size /= 3;
  inference.SetOutput(0, *dims);
}

template <typename T, bool kLocal>
AttentionPointwiseConvAddOp<T, kLocal>::AttentionPointwiseConvAddOp(
    const KernelAttributes& attributes)
    : params_(ParseParams<kLocal>(attributes)) {}

template <typename T, bool kLocal>
void AttentionPointwiseConvAddOp<T, kLocal>::Compute(const KernelContext& context) const {
  Images<T, kLocal> images(context, params_);
  const int64_t channels = images.x.dims[1] / 3;
  const InputTensor<T> weights = context.Input<T>(2, "W");
  const int64_t outputs = weights.dims.empty() ? 0 : weights.dims[0];
  ExpectShape(weights, {outputs, channels, 1, 1});
  const auto take_for_outputs = [&](size_t index, const char* name) {
    const InputTensor<T> input = context.Input<T>(index, name);
    ExpectShape(input, {outputs});
    return input.data;
  };
  const InputTensor<T> residual = context.Input<T>(5, "R");
  ExpectShape(residual, {images.x.dims[0], outputs, images.x.dims[2], images.x.dims[3]});
  images.tensors = {images.tensors.x,         images.tensors.temperature,   weights.data,
                    take_for_outputs(3, "B"), take_for_outputs(4, "gamma"), residual.data};
  Attend(context, images, static_cast<size_t>(outputs), 6);
}

template <typename T, bool kLocal>
void AttentionPointwiseConvAddOp<T, kLocal>::InferOutputShape(ShapeInference& inference) {
  std::optional<Dims> dims = inference.NchwInput(0);
  const std::optional<Dims> weights = inference.NchwInput(2);
  if (!dims || !weights) return;
  (*dims)[1] = (*weights)[0];
  inference.SetOutput(0, *dims);
}

template class AttentionOp<float, false>;
template class AttentionOp<float, true>;
template class AttentionOp<Float16, false>;
template class AttentionOp<Float16, true>;
template class AttentionPointwiseConvAddOp<float, false>;
template class AttentionPointwiseConvAddOp<float, true>;
template class AttentionPointwiseConvAddOp<Float16, false>;
template class AttentionPointwiseConvAddOp<Float16, true>;

}  // namespace tlsc::ort
