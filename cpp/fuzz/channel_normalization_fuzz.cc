#include "fuzz/fuzz_input.h"
#include "kernels/channel_normalization.h"
#include "kernels/channel_normalization_ref.h"

namespace tlsc {
namespace {

// Whether float32 has room for the sums of the pixel, and for what becomes of them: beyond it
// nothing is promised.
bool HasRoom(const float* pixel, size_t channels, size_t plane, float epsilon, float scale,
             float bias) {
  constexpr double kMost = 1e15;
  constexpr double kLeast = 1e-15;
  double low = pixel[0];
  double high = pixel[0];
  for (size_t c = 0; c < channels; ++c) {
    low = std::min(low, double{pixel[c * plane]});
    high = std::max(high, double{pixel[c * plane]});
    if (!std::isfinite(pixel[c * plane])) return false;
  }
  const double largest = std::max(std::abs(low), std::abs(high));
  const bool deviates = epsilon > kLeast || high - low > std::max(kLeast, 1e-5 * largest);
  return largest < kMost && deviates && std::abs(scale) < kMost && std::abs(bias) < kMost;
}

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const float epsilon = input.OneIn(3) ? input.AnyFloat() : input.Pick({1e-5f, 0.0f, 1e-6f});
  const ChannelNormalizationParams params = {input.OneIn(2), epsilon};
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));
  const FuzzTensor<T> scale(input.Values(shape.channels), input.Below(4));
  FuzzTensor<T> bias(input.Values(shape.channels), input.Below(4));
  const bool has_bias = !input.OneIn(4);

  const bool valid = std::isfinite(epsilon) && epsilon >= 0.0f;
  const auto y = RunKernel<T>(input, valid, x.floats.size(), [&](ParallelLoop& loop, T* to) {
    return ChannelNormalization(x.data(), shape, scale.data(), has_bias ? bias.data() : nullptr,
                                params, loop, to);
  });
  if (!valid) return;
  const size_t plane = shape.height * shape.width;
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const size_t channel = at / plane % shape.channels;
    const float* pixel = x.floats.data() + at - channel * plane;
    const float s = scale.floats[channel];
    const float b = has_bias ? bias.floats[channel] : 0.0f;
    bool finite = true;
    for (size_t c = 0; c < shape.channels; ++c) finite &= std::isfinite(pixel[c * plane]);
    if (!finite) Expect(std::isnan(y[at]), "a NaN where a channel is not finite");
    if (!HasRoom(pixel, shape.channels, plane, epsilon, s, b)) return;
    const double exact = ChannelNormalizationRef(pixel, shape.channels, plane, double{s}, double{b},
                                                 params, channel);
    const double error = ChannelNormalizationError(shape.channels, double{s}, double{b}, exact);
    Expect(RoundsTo<T>(y[at], exact, error), "the pixel normalized");
  });
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
