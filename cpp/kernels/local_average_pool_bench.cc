#include "kernels/bench_support.h"
#include "kernels/local_average_pool.h"

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  RegisterCases("LocalAveragePool",
                [](const BenchCase& one, const float* x, float* y, ParallelLoop& loop) {
                  (void)LocalAveragePool(x, one.shape, {{one.window, one.window}}, loop, y);
                });
  benchmark::RunSpecifiedBenchmarks();
}
