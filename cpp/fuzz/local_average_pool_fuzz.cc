#include "fuzz/fuzz_input.h"
#include "fuzz/window_checks.h"
#include "kernels/local_average_pool.h"
#include "kernels/local_average_pool_ref.h"

namespace tlsc {
namespace {

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const KernelShape kernel_shape = input.Window();
  const Padding padding = input.Pick({Padding::kReplicate, Padding::kValid});
  const LocalAveragePoolParams params = {kernel_shape, padding, input.Stride()};
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));

  const bool valid = IsWindow(kernel_shape) && TakesStride(shape, kernel_shape, params.max_stride);
  const NchwShape y_shape = valid ? LocalAveragePoolShape(shape, params) : shape;
  const auto y = RunKernel<T>(input, valid, *ElementCount(y_shape), [&](ParallelLoop& loop, T* to) {
    return LocalAveragePool(x.data(), shape, params, loop, to);
  });
  if (!valid) return;
  const size_t plane_size = shape.height * shape.width;
  const size_t width = y_shape.width;
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const size_t plane = at / width / y_shape.height;
    const float* from = x.floats.data() + plane * plane_size;
    const double error = 1e-6 * LargestMagnitude(from, plane_size);
    const double exact = LocalAveragePoolRef(
        from, static_cast<int64_t>(shape.height), static_cast<int64_t>(shape.width), params,
        static_cast<int64_t>(at / width % y_shape.height), static_cast<int64_t>(at % width));
    Expect(RoundsTo<T>(y[at], exact, error), "the mean within the error that is stated");
  });
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
