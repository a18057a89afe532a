#include "kernels/bench_support.h"
#include "kernels/local_windows.h"

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  static std::vector<float> windows;
  const auto p_shape = [](const BenchCase& one) {
    return LocalWindowPartitionShape(one.shape, {one.window, one.window});
  };
  // Makes room for the windows, out of the measurement. What they overlap by is moved, too: the
  // elements of the two tensors, less the two of a memcpy.
  const auto prepare = [=](const BenchCase& one) {
    windows.assign(*ElementCount(p_shape(one)), 0.5f);
    return windows.size() - *ElementCount(one.shape);
  };
  RegisterCases(
      "LocalWindowPartition", prepare,
      [=](const BenchCase& one, const float* x, const float*, float*, ParallelLoop& loop) {
        (void)LocalWindowPartition(x, one.shape, {one.window, one.window}, loop, windows.data());
      });
  RegisterCases(
      "LocalWindowMerge", prepare,
      [=](const BenchCase& one, const float*, const float*, float* y, ParallelLoop& loop) {
        (void)LocalWindowMerge(windows.data(), p_shape(one), one.shape, loop, y);
      });
  benchmark::RunSpecifiedBenchmarks();
}
