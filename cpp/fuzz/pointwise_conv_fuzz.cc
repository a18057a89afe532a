#include "fuzz/fuzz_input.h"
#include "kernels/pointwise_conv.h"
#include "kernels/pointwise_conv_ref.h"

namespace tlsc {
namespace {

// Whether float32 has room for all that is added up.
bool HasRoom(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) {
    const float magnitude = std::abs(value);
    return magnitude == 0.0f || (magnitude > 1e-6f && magnitude < 1e6f);
  });
}

// Whether each pixel's channels differ by enough for what is promised of a normalization.
bool Deviates(const std::vector<float>& x, const NchwShape& shape) {
  const size_t plane = shape.height * shape.width;
  for (size_t i = 0; i < x.size(); ++i) {
    if (i / plane % shape.channels != 0) continue;
    float low = x[i];
    float high = x[i];
    for (size_t c = 1; c < shape.channels; ++c) {
      low = std::min(low, x[i + c * plane]);
      high = std::max(high, x[i + c * plane]);
    }
    if (high - low <= 1e-4f * std::max(std::abs(low), std::abs(high))) return false;
  }
  return true;
}

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const size_t outputs = input.Below(20);
  const bool normalizes = input.OneIn(2);
  const float epsilon = input.OneIn(4) ? input.AnyFloat() : input.Pick({1e-5f, 1e-2f});
  const PointwiseConvParams params = {normalizes, {input.OneIn(2), epsilon}, input.OneIn(2)};
  const bool valid =
      std::isfinite(epsilon) && epsilon >= 0.0f && (!params.gates || outputs % 2 == 0);
  const NchwShape y_shape = PointwiseConvShape(shape, outputs, params);
  const size_t elements = *ElementCount(y_shape);
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));
  const FuzzTensor<T> weights(input.Values(outputs * shape.channels), input.Below(4));
  const FuzzTensor<T> channelwise(input.Values(shape.channels), input.Below(4));
  const FuzzTensor<T> outputwise(input.Values(outputs), input.Below(4));
  const FuzzTensor<T> residual(input.Values(elements), input.Below(16));
  const bool adds = input.OneIn(2);

  const PointwiseConvTensors<T> tensors = {x.data(),
                                           channelwise.data(),
                                           channelwise.data(),
                                           weights.data(),
                                           outputwise.data(),
                                           outputwise.data(),
                                           adds ? residual.data() : nullptr};
  const auto y = RunKernel<T>(input, valid, elements, [&](ParallelLoop& loop, T* to) {
    return PointwiseConv(tensors, shape, outputs, params, loop, to);
  });
  if (!valid) return;
  for (const auto* values : {&x, &weights, &channelwise, &outputwise, &residual}) {
    if (!HasRoom(values->floats)) return;
  }
  if (normalizes && epsilon < 1e-6f && !Deviates(x.floats, shape)) return;
  const PointwiseConvTensors<float> floats = {x.floats.data(),
                                              channelwise.floats.data(),
                                              channelwise.floats.data(),
                                              weights.floats.data(),
                                              outputwise.floats.data(),
                                              outputwise.floats.data(),
                                              adds ? residual.floats.data() : nullptr};
  const size_t plane = shape.height * shape.width;
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const PointwiseRef exact =
        PointwiseConvRef(floats, shape, at / plane / y_shape.channels, outputs, params,
                         at / plane % y_shape.channels, at % plane);
    Expect(RoundsTo<T>(y[at], exact.value, exact.error), "the convolution");
  });
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
