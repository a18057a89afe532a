#include "fuzz/fuzz_input.h"
#include "kernels/replicate_scale.h"
#include "kernels/replicate_scale_ref.h"

namespace tlsc {
namespace {

bool Broadcasts(size_t x, size_t s) { return x == s || x == 1 || s == 1; }

bool Fits(size_t x, size_t s) { return x == 0 ? s == 0 : s >= 1 && s <= x; }

template <typename T>
void Run(FuzzInput& input) {
  NchwShape x_shape = input.Shape();
  NchwShape s_shape = x_shape;
  if (x_shape.height > 0) s_shape.height = 1 + input.Byte() % x_shape.height;
  if (x_shape.width > 0) s_shape.width = 1 + input.Byte() % x_shape.width;
  if (input.OneIn(4)) x_shape.batch = 1;
  if (input.OneIn(4)) x_shape.channels = 1;
  if (input.OneIn(4)) s_shape.batch = 1;
  if (input.OneIn(4)) s_shape.channels = 1;
  if (input.OneIn(16)) s_shape.height = input.Below(24);
  if (input.OneIn(16)) s_shape.channels = input.Below(6);
  const FuzzTensor<T> x(input.Values(*ElementCount(x_shape)), input.Below(16));
  const FuzzTensor<T> s(input.Values(*ElementCount(s_shape)), input.Below(16));

  const bool valid = Broadcasts(x_shape.batch, s_shape.batch) &&
                     Broadcasts(x_shape.channels, s_shape.channels) &&
                     Fits(x_shape.height, s_shape.height) && Fits(x_shape.width, s_shape.width);
  const NchwShape y_shape = valid ? ReplicateScaleShape(x_shape, s_shape) : x_shape;
  const auto y = RunKernel<T>(input, valid, *ElementCount(y_shape), [&](ParallelLoop& loop, T* to) {
    return ReplicateScale(x.data(), x_shape, s.data(), s_shape, loop, to);
  });
  if (!valid) return;
  ForSomeOutputs(input, y.size(), [&](size_t at) {
    const size_t row = at / y_shape.width;
    const size_t plane = row / y_shape.height;
    const double exact = ReplicateScaleRef(x.floats.data(), x_shape, s.floats.data(), s_shape,
                                           plane / y_shape.channels, plane % y_shape.channels,
                                           static_cast<int64_t>(row % y_shape.height),
                                           static_cast<int64_t>(at % y_shape.width));
    Expect(Agrees(y[at], double{ToFloat(RoundTo<T>(exact))}, 0.0), "the product, rounded once");
  });
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  input.OneIn(2) ? tlsc::Run<tlsc::Float16>(input) : tlsc::Run<float>(input);
  return 0;
}
