#include "fuzz/fuzz_input.h"
#include "kernels/depthwise_conv.h"
#include "kernels/depthwise_conv_ref.h"

namespace tlsc {
namespace {

// Whether float32 has room for all that is added up.
bool HasRoom(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) {
    const float magnitude = std::abs(value);
    return magnitude == 0.0f || (magnitude > 1e-8f && magnitude < 1e8f);
  });
}

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const Gate gate = input.Pick({Gate::kNone, Gate::kProduct, Gate::kGelu});
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));
  const FuzzTensor<T> weights(input.Values(9 * shape.channels), input.Below(4));
  const FuzzTensor<T> bias(input.Values(shape.channels), input.Below(4));

  const bool valid = gate == Gate::kNone || shape.channels % 2 == 0;
  const NchwShape y_shape = valid ? DepthwiseConvShape(shape, gate) : shape;
  const auto y = RunKernel<T>(input, valid, *ElementCount(y_shape), [&](ParallelLoop& loop, T* to) {
    return DepthwiseConv(x.data(), shape, weights.data(), bias.data(), gate, loop, to);
  });
  if (!valid || !HasRoom(x.floats) || !HasRoom(weights.floats) || !HasRoom(bias.floats)) return;
  const size_t plane = shape.height * shape.width;
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const float* image = x.floats.data() + at / plane / y_shape.channels * shape.channels * plane;
    const DepthwiseRef exact =
        DepthwiseConvRef(image, shape, weights.floats.data(), bias.floats.data(), gate,
                         at / plane % y_shape.channels, at % plane / shape.width, at % shape.width);
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
