#include <vector>

#include "kernels/bench_support.h"
#include "kernels/local_instance_normalization.h"

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  const std::vector<float> ones(512, 1.0f);
  RegisterCases("LocalInstanceNormalization",
                [&](const BenchCase& one, const float* x, float* y, ParallelLoop& loop) {
                  (void)LocalInstanceNormalization(x, one.shape, ones.data(), ones.data(),
                                                   {{one.window, one.window}}, loop, y);
                });
  benchmark::RunSpecifiedBenchmarks();
}
