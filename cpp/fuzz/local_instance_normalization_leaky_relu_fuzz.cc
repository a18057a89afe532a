#include "fuzz/fuzz_input.h"
#include "fuzz/window_checks.h"
#include "kernels/local_instance_normalization.h"
#include "kernels/local_instance_normalization_leaky_relu.h"

namespace tlsc {
namespace {

// Against LocalInstanceNormalization, which has a target of its own.
template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const KernelShape kernel_shape = input.Window();
  const float epsilon = input.OneIn(3) ? input.AnyFloat() : 1e-5f;
  const float alpha = input.OneIn(3) ? input.AnyFloat() : 0.25f;
  const size_t normalized = input.Below(shape.channels + 2);
  const LocalInstanceNormalizationParams params = {kernel_shape, epsilon, input.Stride()};
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));
  const FuzzTensor<T> scale(input.Values(normalized), input.Below(4));
  const FuzzTensor<T> bias(input.Values(normalized), input.Below(4));

  const bool valid = IsWindow(kernel_shape) && std::isfinite(epsilon) && epsilon >= 0.0f &&
                     std::isfinite(alpha) && normalized <= shape.channels &&
                     TakesStride(shape, kernel_shape, params.max_stride);
  const auto y = RunKernel<T>(input, valid, x.floats.size(), [&](ParallelLoop& loop, T* to) {
    return LocalInstanceNormalizationLeakyRelu(x.data(), shape, normalized, scale.data(),
                                               bias.data(), params, alpha, loop, to);
  });
  if (!valid) return;
  const size_t plane_size = shape.height * shape.width;
  for (size_t image = 0; image < shape.batch; ++image) {
    const NchwShape first = {1, normalized, shape.height, shape.width};
    const size_t begin = image * shape.channels * plane_size;
    std::vector<T> plain(
        x.elements.begin() + static_cast<std::ptrdiff_t>(begin),
        x.elements.begin() + static_cast<std::ptrdiff_t>(begin + shape.channels * plane_size));
    SerialLoop loop;
    Expect(LocalInstanceNormalization(x.data() + begin, first, scale.data(), bias.data(), params,
                                      loop, plain.data())
               .ok(),
           "what it is made of to take the same");
    for (size_t i = 0; i < plain.size(); ++i) {
      const float value = ToFloat(plain[i]);
      const float expected = value < 0.0f ? value * alpha : value;
      const float actual = y[begin + i];
      // What overflows in between overflows where it is rounded twice, and there alone.
      if (std::isinf(value)) continue;
      if (std::isnan(expected)) {
        Expect(std::isnan(actual), "NaN where it is made of NaN");
        continue;
      }
      // Each may be off by what a normalization may be, and rounds on its way or not.
      const size_t channel = i / plane_size;
      double off = 0.0;
      if (channel < normalized) {
        // Beyond this nothing is promised: planes may be cut into bands by how many there are.
        const float* plane = x.floats.data() + begin + channel * plane_size;
        if (!(LargestDeviation(plane, 1, plane_size) <= 1e4 * std::sqrt(double{epsilon}))) continue;
        const double s = std::abs(double{scale.floats[channel]});
        const double b = double{bias.floats[channel]};
        off = 2e-5 * std::max(s, std::abs(double{value} - b)) + RoundingError<T>(double{value}) +
              0x1p-148;
      }
      const double room = off * std::max(1.0, std::abs(double{alpha})) +
                          2.0 * RoundingError<T>(double{expected}) +
                          0x1p-22 * std::abs(double{expected}) + 0x1p-148;
      const double most = std::is_same_v<T, float> ? 3e38 : 65000.0;
      if (std::abs(double{expected}) + room < most)
        Expect(std::abs(double{actual} - double{expected}) <= room, "LeakyRelu of it");
    }
  }
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
