#include <cstring>
#include <vector>

#include "kernels/bench_support.h"
#include "kernels/copy_image.h"

namespace tlsc {
namespace {

struct CopyCase {
  const char* name;
  ImageLayout from;
  ImageLayout to;
};

constexpr ImageMap kPlain = {
    {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}}, {1, 1, 1, 1}, {1, 1, 1, 1}, {}};

constexpr size_t kHeight = 4000;
constexpr size_t kWidth = 6000;

constexpr ImageLayout Layout(Element element, bool channels_last, size_t channels = 3) {
  return {element, channels_last, channels, kHeight, kWidth};
}

constexpr CopyCase kCases[] = {
    {"uint8_to_planes", Layout(Element::kUint8, true), Layout(Element::kFloat32, false)},
    {"uint16_to_planes", Layout(Element::kUint16, true), Layout(Element::kFloat32, false)},
    {"uint8_to_float16", Layout(Element::kUint8, true), Layout(Element::kFloat16, false)},
    {"uint8_to_channels_last", Layout(Element::kUint8, true), Layout(Element::kFloat32, true)},
    {"gray_to_plane", Layout(Element::kUint8, true, 1), Layout(Element::kFloat32, false, 1)},
    {"planes_to_uint8", Layout(Element::kFloat32, false), Layout(Element::kUint8, true)},
    {"planes_to_uint16", Layout(Element::kFloat32, false), Layout(Element::kUint16, true)},
    {"float16_to_planes", Layout(Element::kFloat16, false), Layout(Element::kFloat32, false)},
};

// Times CopyImage and, turn by turn, a memcpy that moves as many bytes. Counter x_memcpy is the
// ratio of the medians: 2 is half of memcpy's bytes per second.
void TimeCopy(benchmark::State& state, const CopyCase& one) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  const std::vector<unsigned char> from(ByteSize(one.from), 60);
  std::vector<unsigned char> to(ByteSize(one.to));
  const size_t copied = (from.size() + to.size()) / 2;
  const std::vector<unsigned char> source(copied, 1);
  std::vector<unsigned char> target(copied);
  BenchLoop loop(static_cast<size_t>(state.range(0)));
  std::vector<double> copies;
  std::vector<double> runs;
  for (auto _ : state) {
    const auto copy_start = Clock::now();
    constexpr size_t kParts = 16;
    (void)loop.Run(kParts, [&](size_t part) {
      const size_t begin = copied * part / kParts;
      std::memcpy(target.data() + begin, source.data() + begin,
                  copied * (part + 1) / kParts - begin);
    });
    copies.push_back(seconds(copy_start));
    const auto start = Clock::now();
    (void)CopyImage(from.data(), one.from, kPlain, loop, to.data(), one.to, nullptr);
    runs.push_back(seconds(start));
    state.SetIterationTime(runs.back());
    benchmark::DoNotOptimize(to.data());
    benchmark::DoNotOptimize(target.data());
  }
  const auto median = [](std::vector<double>& times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  };
  state.counters["x_memcpy"] = median(runs) / median(copies);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(2 * copied));
}

}  // namespace
}  // namespace tlsc

int main(int argc, char** argv) {
  using namespace tlsc;
  benchmark::Initialize(&argc, argv);
  for (const CopyCase& one : kCases) {
    const std::string name = std::string("CopyImage/") + one.name + "/24_megapixels";
    benchmark::RegisterBenchmark(name.c_str(),
                                 [=](benchmark::State& state) { TimeCopy(state, one); })
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.3);
  }
  benchmark::RunSpecifiedBenchmarks();
}
