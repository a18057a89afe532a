#include "fuzz/fuzz_input.h"
#include "fuzz/window_checks.h"
#include "kernels/local_windows.h"
#include "kernels/local_windows_ref.h"

namespace tlsc {
namespace {

// How many windows cover an axis; 0 where they do not fit it.
size_t WindowsAlong(size_t length, size_t window) {
  if (length == 0) return window == 0 ? 1 : 0;
  return window < 1 || window > length ? 0 : WindowStartsRef(length, window).size();
}

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const KernelShape kernel_shape = {int64_t{1} + input.Byte() % 24, int64_t{1} + input.Byte() % 24};
  NchwShape p_shape = LocalWindowPartitionShape(shape, kernel_shape);
  if (input.OneIn(16)) p_shape.batch = input.Below(8);
  if (input.OneIn(16)) p_shape.channels = input.Below(8);
  if (input.OneIn(16)) p_shape.height = input.Below(24);
  if (input.OneIn(16)) p_shape.width = input.Below(24);
  const size_t down = WindowsAlong(shape.height, p_shape.height);
  const size_t across = WindowsAlong(shape.width, p_shape.width);
  const bool valid = p_shape.channels == shape.channels && down > 0 && across > 0 &&
                     p_shape.batch == shape.batch * down * across;
  const FuzzTensor<T> p(input.Values(*ElementCount(p_shape)), input.Below(16));

  const auto y = RunKernel<T>(input, valid, *ElementCount(shape), [&](ParallelLoop& loop, T* to) {
    return LocalWindowMerge(p.data(), p_shape, shape, loop, to);
  });
  if (!valid) return;
  const double error = 1e-6 * LargestMagnitude(p.floats.data(), p.floats.size());
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const size_t row = at / shape.width;
    const size_t plane = row / shape.height;
    const double exact =
        LocalWindowMergeRef(p.floats.data(), p_shape, shape, plane / shape.channels,
                            plane % shape.channels, row % shape.height, at % shape.width);
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
