#include <string>
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

// Beside a memcpy that moves as many bytes: an x_memcpy of 2 is half of its bytes per second.
void TimeCopy(benchmark::State& state, const CopyCase& one) {
  const std::vector<unsigned char> from(ByteSize(one.from), 60);
  std::vector<unsigned char> to(ByteSize(one.to));
  const size_t copied = (from.size() + to.size()) / 2;
  const std::vector<unsigned char> source(copied, 1);
  std::vector<unsigned char> target(copied);
  BenchLoop loop(static_cast<size_t>(state.range(0)));
  TimeBesideMemcpy(state, loop, source.data(), target.data(), copied, 2 * copied, [&] {
    (void)CopyImage(from.data(), one.from, kPlain, loop, to.data(), one.to, nullptr);
  });
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
