#include <string>

#include "kernels/bench_support.h"
#include "kernels/pointwise_conv.h"

namespace tlsc {
namespace {

struct Case {
  const char* name;
  bool normalizes;
  bool gates;
  bool adds;
};

constexpr Case kCases[] = {
    {"PointwiseConv", false, false, false},
    {"LayerNormPointwiseConv", true, false, false},
    {"LayerNormPointwiseConvGate", true, true, false},
    {"PointwiseConvAdd", false, false, true},
};

// Beside a memcpy of what is read and written; counter GFLOP/s is of the convolution alone.
void Time(benchmark::State& state, const NchwShape& shape, const Case& one) {
  const size_t outputs = one.adds ? shape.channels : 2 * shape.channels;
  const PointwiseConvParams params = {one.normalizes, {}, one.gates};
  const NchwShape y_shape = PointwiseConvShape(shape, outputs, params);
  const size_t read = *ElementCount(shape);
  const size_t written = *ElementCount(y_shape);
  const std::vector<float> x = BenchTensor(std::max(read, written));
  const std::vector<float> weights = BenchTensor(outputs * shape.channels);
  std::vector<float> y(std::max(read, written));
  BenchLoop loop(static_cast<size_t>(state.range(0)));
  const float* w = weights.data();
  const PointwiseConvTensors<float> tensors = {
      x.data(), w, w, w, w, w, one.adds ? x.data() : nullptr};
  TimeBesideMemcpy(state, loop, x.data(), y.data(), read * sizeof(float),
                   (read + written + (one.adds ? written : 0)) * sizeof(float),
                   [&] { (void)PointwiseConv(tensors, shape, outputs, params, loop, y.data()); });
  const double flops = 2.0 * static_cast<double>(outputs) * static_cast<double>(read);
  state.counters["GFLOP"] =
      benchmark::Counter(flops / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace
}  // namespace tlsc

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  for (const Case& one : kCases) {
    for (const BenchCase& size : PixelwiseCases()) {
      const std::string name = std::string(one.name) + "/" + ShapeName(size.shape);
      benchmark::RegisterBenchmark(name.c_str(),
                                   [=](benchmark::State& state) { Time(state, size.shape, one); })
          ->ArgName("threads")
          ->Arg(1)
          ->Arg(2)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
