#include "fuzz/fuzz_input.h"
#include "kernels/local_windows.h"
#include "kernels/local_windows_ref.h"

namespace tlsc {
namespace {

template <typename T>
void Run(FuzzInput& input) {
  const NchwShape shape = input.Shape();
  const KernelShape kernel_shape = input.Window();
  const FuzzTensor<T> x(input.Values(*ElementCount(shape)), input.Below(16));

  const bool valid = IsWindow(kernel_shape);
  const NchwShape y_shape = valid ? LocalWindowPartitionShape(shape, kernel_shape) : shape;
  const auto y = RunKernel<T>(input, valid, *ElementCount(y_shape), [&](ParallelLoop& loop, T* to) {
    return LocalWindowPartition(x.data(), shape, kernel_shape, loop, to);
  });
  if (!valid || x.floats.empty()) return;
  size_t at = 0;
  for (size_t n = 0; n < shape.batch; ++n) {
    for (const size_t top : WindowStartsRef(shape.height, static_cast<size_t>(kernel_shape[0]))) {
      for (const size_t left : WindowStartsRef(shape.width, static_cast<size_t>(kernel_shape[1]))) {
        for (size_t row = 0; row < shape.channels * y_shape.height; ++row) {
          const size_t channel = row / y_shape.height;
          const size_t x_row =
              (n * shape.channels + channel) * shape.height + top + row % y_shape.height;
          for (size_t j = 0; j < y_shape.width; ++j, ++at) {
            Expect(Agrees(y[at], x.floats[x_row * shape.width + left + j], 0.0),
                   "a copy of what the window holds");
          }
        }
      }
    }
  }
  Expect(at == *ElementCount(y_shape), "as many windows as cover the image");
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
