#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/bench_support.h"
#include "kernels/local_group_normalization.h"

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  const std::vector<float> ones(512, 1.0f);
  RegisterCases("LocalGroupNormalization",
                [&](const BenchCase& one, const float* x, float* y, ParallelLoop& loop) {
                  // Of eight channels, or all that there are.
                  const size_t groups = std::max<size_t>(1, one.shape.channels / 8);
                  (void)LocalGroupNormalization(
                      x, one.shape, ones.data(), ones.data(),
                      {{one.window, one.window}, static_cast<int64_t>(groups)}, loop, y);
                });
  benchmark::RunSpecifiedBenchmarks();
}
