#include "kernels/bench_support.h"
#include "kernels/channel_normalization.h"

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  for (const bool centers : {true, false}) {
    RegisterCases(
        centers ? "ChannelLayerNormalization" : "ChannelVarianceNormalization",
        [=](const BenchCase& one, const float* x, float* y, ParallelLoop& loop) {
          static const std::vector<float> parameters(512, 0.5f);
          const float* bias = centers ? parameters.data() : nullptr;
          (void)ChannelNormalization(x, one.shape, parameters.data(), bias, {centers}, loop, y);
        },
        PixelwiseCases());
  }
  benchmark::RunSpecifiedBenchmarks();
}
