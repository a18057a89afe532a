#include "kernels/bench_support.h"
#include "kernels/local_windows.h"

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  static std::vector<float> windows;
  const auto p_shape = [](const BenchCase& one) {
    return LocalWindowPartitionShape(one.shape, {one.window, one.window});
  };
  // What windows overlap by is moved, too: the elements of the two tensors, less the two of a
  // memcpy.
  const auto overlap = [=](const BenchCase& one) {
    return *ElementCount(p_shape(one)) - *ElementCount(one.shape);
  };
  RegisterCases(
      "LocalWindowPartition", overlap,
      [=](const BenchCase& one, const float* x, const float*, float*, ParallelLoop& loop) {
        windows.resize(*ElementCount(p_shape(one)));
        (void)LocalWindowPartition(x, one.shape, {one.window, one.window}, loop, windows.data());
      });
  RegisterCases(
      "LocalWindowMerge", overlap,
      [=](const BenchCase& one, const float*, const float*, float* y, ParallelLoop& loop) {
        windows.resize(*ElementCount(p_shape(one)));
        (void)LocalWindowMerge(windows.data(), p_shape(one), one.shape, loop, y);
      });
  benchmark::RunSpecifiedBenchmarks();
}
