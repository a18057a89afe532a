#include "fuzz/fuzz_input.h"
#include "fuzz/window_checks.h"
#include "kernels/local_group_normalization.h"
#include "kernels/local_group_normalization_ref.h"

namespace tlsc {
namespace {

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const KernelShape kernel_shape = input.Window();
  const int64_t groups =
      input.OneIn(8) ? input.AnyInteger() : int64_t{1} + static_cast<int64_t>(input.Below(6));
  const float epsilon = input.OneIn(3) ? input.AnyFloat() : input.Pick({1e-5f, 0.0f, 1e-6f});
  const LocalGroupNormalizationParams params = {kernel_shape, groups, epsilon};
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));
  const FuzzTensor<T> scale(input.Values(shape.channels), input.Below(4));
  const FuzzTensor<T> bias(input.Values(shape.channels), input.Below(4));

  const auto channels = static_cast<int64_t>(shape.channels);
  const bool valid = IsWindow(kernel_shape) && std::isfinite(epsilon) && epsilon >= 0.0f &&
                     groups >= 1 && channels % groups == 0;
  const auto y = RunKernel<T>(input, valid, x.floats.size(), [&](ParallelLoop& loop, T* to) {
    return LocalGroupNormalization(x.data(), shape, scale.data(), bias.data(), params, loop, to);
  });
  if (!valid) return;
  const size_t plane_size = shape.height * shape.width;
  const size_t image_size = shape.channels * plane_size;
  const size_t group_channels = shape.channels / static_cast<size_t>(groups);
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const size_t channel = at / plane_size % shape.channels;
    const float* image = x.floats.data() + at / image_size * image_size;
    const float* group = image + channel / group_channels * group_channels * plane_size;
    const float s = scale.floats[channel];
    const float b = bias.floats[channel];
    const NormalizedRef exact = LocalGroupNormalizationRef(
        image, channels, static_cast<int64_t>(shape.height), static_cast<int64_t>(shape.width),
        double{s}, double{b}, params, static_cast<int64_t>(channel),
        static_cast<int64_t>(at % plane_size / shape.width),
        static_cast<int64_t>(at % shape.width));
    const double largest = LargestDeviation(group, group_channels, plane_size);
    CheckNormalized<T>(y[at], exact, largest, epsilon, s, b);
  });
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
