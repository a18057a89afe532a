#include <vector>

#include "kernels/bench_support.h"
#include "kernels/local_instance_normalization_leaky_relu.h"

// As HINet has it: the first half of the channels is normalized.
int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  const std::vector<float> ones(512, 1.0f);
  RegisterCases("LocalInstanceNormalizationLeakyRelu",
                [&](const BenchCase& one, const float* x, float* y, ParallelLoop& loop) {
                  (void)LocalInstanceNormalizationLeakyRelu(
                      x, one.shape, (one.shape.channels + 1) / 2, ones.data(), ones.data(),
                      {{one.window, one.window}}, 0.2f, loop, y);
                });
  benchmark::RunSpecifiedBenchmarks();
}
