#include "kernels/bench_support.h"
#include "kernels/local_average_pool.h"
#include "kernels/replicate_scale.h"

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  const auto s_shape = [](const BenchCase& one) {
    return LocalAveragePoolShape(one.shape, {{one.window, one.window}, Padding::kValid});
  };
  RegisterCases(
      "ReplicateScale", [=](const BenchCase& one) { return *ElementCount(s_shape(one)); },
      [=](const BenchCase& one, const float* x, const float* s, float* y, ParallelLoop& loop) {
        (void)ReplicateScale(x, one.shape, s, s_shape(one), loop, y);
      });
  benchmark::RunSpecifiedBenchmarks();
}
