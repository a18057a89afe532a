#include <utility>

#include "kernels/bench_support.h"
#include "kernels/depthwise_conv.h"

namespace tlsc {
namespace {

// Beside a memcpy that moves as many bytes as are read and written.
void TimeGate(benchmark::State& state, const NchwShape& shape, Gate gate) {
  const size_t elements = *ElementCount(shape);
  const size_t written = *ElementCount(DepthwiseConvShape(shape, gate));
  const std::vector<float> x = BenchTensor(elements);
  const std::vector<float> weights = BenchTensor(9 * shape.channels);
  std::vector<float> y(elements);
  BenchLoop loop(static_cast<size_t>(state.range(0)));
  TimeBesideMemcpy(state, loop, x.data(), y.data(), elements * sizeof(float),
                   (elements + written) * sizeof(float), [&] {
                     (void)DepthwiseConv(x.data(), shape, weights.data(), weights.data(), gate,
                                         loop, y.data());
                   });
}

}  // namespace
}  // namespace tlsc

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  for (const auto& [name, gate] : {std::pair{"DepthwiseConv", Gate::kNone},
                                   {"DepthwiseConvGate", Gate::kProduct},
                                   {"DepthwiseConvGelu", Gate::kGelu}}) {
    for (const BenchCase& one : PixelwiseCases()) {
      const std::string full = std::string(name) + "/" + ShapeName(one.shape);
      benchmark::RegisterBenchmark(full.c_str(),
                                   [shape = one.shape, gate = gate](benchmark::State& state) {
                                     TimeGate(state, shape, gate);
                                   })
          ->ArgName("threads")
          ->Arg(1)
          ->Arg(2)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
