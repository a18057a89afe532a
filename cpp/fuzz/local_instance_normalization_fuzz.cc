#include "fuzz/fuzz_input.h"
#include "fuzz/window_checks.h"
#include "kernels/local_instance_normalization.h"
#include "kernels/local_instance_normalization_ref.h"

namespace tlsc {
namespace {

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const KernelShape kernel_shape = input.Window();
  const float epsilon = input.OneIn(3) ? input.AnyFloat() : input.Pick({1e-5f, 0.0f, 1e-6f});
  const LocalInstanceNormalizationParams params = {kernel_shape, epsilon, input.Stride()};
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));
  const FuzzTensor<T> scale(input.Values(shape.channels), input.Below(4));
  const FuzzTensor<T> bias(input.Values(shape.channels), input.Below(4));

  const bool valid = IsWindow(kernel_shape) && std::isfinite(epsilon) && epsilon >= 0.0f &&
                     TakesStride(shape, kernel_shape, params.max_stride);
  const auto y = RunKernel<T>(input, valid, x.floats.size(), [&](ParallelLoop& loop, T* to) {
    return LocalInstanceNormalization(x.data(), shape, scale.data(), bias.data(), params, loop, to);
  });
  if (!valid) return;
  const size_t plane_size = shape.height * shape.width;
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const size_t plane = at / plane_size;
    const float* from = x.floats.data() + plane * plane_size;
    const float s = scale.floats[plane % shape.channels];
    const float b = bias.floats[plane % shape.channels];
    const NormalizedRef exact = LocalInstanceNormalizationRef(
        from, static_cast<int64_t>(shape.height), static_cast<int64_t>(shape.width), double{s},
        double{b}, params, static_cast<int64_t>(at % plane_size / shape.width),
        static_cast<int64_t>(at % shape.width));
    CheckNormalized<T>(y[at], exact, LargestDeviation(from, 1, plane_size), epsilon, s, b);
  });
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
