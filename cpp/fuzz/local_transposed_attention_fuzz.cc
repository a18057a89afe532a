#include "fuzz/fuzz_input.h"
#include "kernels/local_transposed_attention.h"
#include "kernels/local_transposed_attention_ref.h"

namespace tlsc {
namespace {

// Whether float32 has room for all that is added up, squares among it.
bool HasRoom(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) {
    const float magnitude = std::abs(value);
    return magnitude == 0.0f || (magnitude > 1e-6f && magnitude < 1e6f);
  });
}

template <typename T>
void Run(FuzzInput& input) {
  NchwShape shape = input.Shape();
  const size_t heads = input.OneIn(8) ? input.Below(4) : 1;
  const bool is_odd = input.OneIn(16);
  if (!is_odd) shape.channels *= 3 * std::max<size_t>(heads, 1);
  const KernelShape window = input.Window();
  const float epsilon = input.OneIn(4) ? input.AnyFloat() : 1e-12f;
  const bool convolves = input.OneIn(2);
  const size_t channels = shape.channels / 3;
  const size_t outputs = convolves ? input.Below(10) : channels;
  const bool valid = std::isfinite(epsilon) && epsilon >= 0.0f && heads > 0 &&
                     shape.channels % 3 == 0 && channels % std::max<size_t>(heads, 1) == 0 &&
                     window[0] > 0 && window[1] > 0;
  const size_t elements = *ElementCount({shape.batch, outputs, shape.height, shape.width});
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));
  const FuzzTensor<T> temperature(input.Values(heads), input.Below(4));
  const FuzzTensor<T> weights(input.Values(outputs * channels), input.Below(4));
  const FuzzTensor<T> outputwise(input.Values(outputs), input.Below(4));
  const FuzzTensor<T> residual(input.Values(elements), input.Below(16));
  LocalTransposedAttentionTensors<T> tensors = {
      x.data(), temperature.data(), nullptr, nullptr, nullptr, nullptr};
  LocalTransposedAttentionTensors<float> floats = {
      x.floats.data(), temperature.floats.data(), nullptr, nullptr, nullptr, nullptr};
  if (convolves) {
    tensors = {x.data(),          temperature.data(), weights.data(),
               outputwise.data(), outputwise.data(),  residual.data()};
    floats = {x.floats.data(),          temperature.floats.data(), weights.floats.data(),
              outputwise.floats.data(), outputwise.floats.data(),  residual.floats.data()};
  }
  const LocalTransposedAttentionParams params = {window, heads, epsilon};
  const auto y = RunKernel<T>(input, valid, elements, [&](ParallelLoop& loop, T* to) {
    return LocalTransposedAttention(tensors, shape, outputs, params, loop, to);
  });
  if (!valid || elements == 0) return;
  for (const auto* values : {&x, &temperature, &weights, &outputwise, &residual}) {
    if (!HasRoom(values->floats)) return;
  }
  // Scores that differ by more than a few leave nothing of what is promised.
  for (const float value : temperature.floats) {
    if (std::abs(value) > 64.0f) return;
  }
  const AttentionRef exact = LocalTransposedAttentionRef(floats, shape, outputs, params);
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    Expect(RoundsTo<T>(y[at], exact.values[at], exact.errors[at]), "the attention");
  });
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
