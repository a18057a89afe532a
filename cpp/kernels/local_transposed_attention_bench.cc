#include <string>

#include "kernels/bench_support.h"
#include "kernels/local_transposed_attention.h"

namespace tlsc {
namespace {

// Heads of 48 channels, as Restormer's: of one window, and of several that overlap.
struct Case {
  NchwShape shape;  // of y
  int64_t window;
};

constexpr Case kCases[] = {
    {{1, 48, 256, 256}, 384},  {{1, 96, 256, 256}, 384}, {{1, 384, 32, 32}, 48},
    {{1, 48, 720, 1280}, 384}, {{1, 384, 90, 160}, 48},
};

// Beside a memcpy of what is read and written, queries, keys and values once each; counter GFLOP is
// of the products with queries and with values.
void Time(benchmark::State& state, const Case& one, bool projects) {
  const NchwShape& y_shape = one.shape;
  NchwShape x_shape = y_shape;
  x_shape.channels *= 3;
  const size_t written = *ElementCount(y_shape);
  const size_t read = *ElementCount(x_shape) + (projects ? written : 0);
  constexpr size_t kHeadChannels = 48;
  const size_t heads = y_shape.channels / kHeadChannels;
  const std::vector<float> x = BenchTensor(read);
  const std::vector<float> weights = BenchTensor(y_shape.channels * y_shape.channels);
  std::vector<float> y(read);
  const float* w = projects ? weights.data() : nullptr;
  const LocalTransposedAttentionTensors<float> tensors = {x.data(), weights.data(), w, w,
                                                          w,        x.data()};
  BenchLoop loop(static_cast<size_t>(state.range(0)));
  TimeBesideMemcpy(
      state, loop, x.data(), y.data(), read * sizeof(float), (read + written) * sizeof(float), [&] {
        (void)LocalTransposedAttention(tensors, x_shape, y_shape.channels,
                                       {{one.window, one.window}, heads}, loop, y.data());
      });
  const size_t convolved = projects ? y_shape.channels : kHeadChannels;
  const double flops = 2.0 * static_cast<double>(kHeadChannels + convolved);
  state.counters["GFLOP"] = benchmark::Counter(flops * static_cast<double>(written) / 1e9,
                                               benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace
}  // namespace tlsc

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  for (const bool projects : {false, true}) {
    for (const Case& one : kCases) {
      const std::string name = std::string("LocalTransposedAttention") +
                               (projects ? "PointwiseConvAdd/" : "/") + ShapeName(one.shape) +
                               "/window:" + std::to_string(one.window);
      benchmark::RegisterBenchmark(name.c_str(),
                                   [=](benchmark::State& state) { Time(state, one, projects); })
          ->ArgName("threads")
          ->Arg(1)
          ->Arg(2)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
