#ifndef TLSC_KERNELS_BENCH_SUPPORT_H_
#define TLSC_KERNELS_BENCH_SUPPORT_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "kernels/bench_cases.h"

namespace tlsc {

// A loop on `threads` threads, the caller's among them.
class BenchLoop final : public ParallelLoop {
 public:
  explicit BenchLoop(size_t threads) : threads_(threads) {}

  Status Run(size_t count, const Task& task) override {
    std::atomic<size_t> next = 0;
    const auto work = [&] {
      for (size_t index = next++; index < count; index = next++) task(index);
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < threads_; ++i) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
    return {};
  }

 private:
  size_t threads_;
};

inline std::vector<float> BenchTensor(size_t elements) {
  std::vector<float> tensor(elements);
  for (size_t i = 0; i < elements; ++i) {
    tensor[i] = static_cast<float>(i * 2654435761u % 1000) / 1000;
  }
  return tensor;
}

// What is timed. `other` is a second input, of as many elements as the case was registered with.
using BenchKernel = std::function<void(const BenchCase&, const float* x, const float* other,
                                       float* y, ParallelLoop&)>;

// Times `run` and, turn by turn, a memcpy of `copied` bytes on the same loop. Reports the time of
// `run` and, as counter x_memcpy, the ratio of the medians, where the time of memcpy is scaled up
// to the `moved` bytes that `run` reads and writes.
inline void TimeBesideMemcpy(benchmark::State& state, BenchLoop& loop, const void* from, void* to,
                             size_t copied, size_t moved, const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  std::vector<double> copies;
  std::vector<double> runs;
  for (auto _ : state) {
    const auto copy_start = Clock::now();
    constexpr size_t kParts = 16;
    (void)loop.Run(kParts, [&](size_t part) {
      const size_t begin = copied * part / kParts;
      const size_t end = copied * (part + 1) / kParts;
      std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin,
                  end - begin);
    });
    copies.push_back(seconds(copy_start));
    benchmark::DoNotOptimize(to);
    benchmark::ClobberMemory();
    const auto start = Clock::now();
    run();
    runs.push_back(seconds(start));
    state.SetIterationTime(runs.back());
    benchmark::ClobberMemory();
  }
  const auto median = [](std::vector<double>& times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  };
  const double scale = static_cast<double>(moved) / static_cast<double>(2 * copied);
  state.counters["x_memcpy"] = median(runs) / (median(copies) * scale);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(moved));
}

// Times `kernel` beside a memcpy of X to Y.
inline void TimeAgainstMemcpy(benchmark::State& state, const BenchCase& one, size_t other_elements,
                              const BenchKernel& kernel) {
  const size_t elements = *ElementCount(one.shape);
  const std::vector<float> x = BenchTensor(elements);
  const std::vector<float> other = BenchTensor(other_elements);
  std::vector<float> y(elements);
  BenchLoop loop(static_cast<size_t>(state.range(0)));
  TimeBesideMemcpy(state, loop, x.data(), y.data(), elements * sizeof(float),
                   (2 * elements + other_elements) * sizeof(float),
                   [&] { kernel(one, x.data(), other.data(), y.data(), loop); });
}

// Registers `kernel` for every case, on one thread and on two.
inline void RegisterCases(const std::string& op,
                          const std::function<size_t(const BenchCase&)>& other_elements,
                          const BenchKernel& kernel,
                          const std::vector<BenchCase>& cases = BenchCases()) {
  for (const BenchCase& one : cases) {
    std::string name = op + "/" + ShapeName(one.shape);
    if (one.window > 0) name += "/window:" + std::to_string(one.window);
    const auto body = [=](benchmark::State& state) {
      TimeAgainstMemcpy(state, one, other_elements(one), kernel);
    };
    benchmark::RegisterBenchmark(name.c_str(), body)
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.3);
  }
}

// For a kernel of one input.
inline void RegisterCases(
    const std::string& op,
    const std::function<void(const BenchCase&, const float* x, float* y, ParallelLoop&)>& kernel,
    const std::vector<BenchCase>& cases = BenchCases()) {
  RegisterCases(
      op, [](const BenchCase&) { return size_t{0}; },
      [=](const BenchCase& one, const float* x, const float*, float* y, ParallelLoop& loop) {
        kernel(one, x, y, loop);
      },
      cases);
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_BENCH_SUPPORT_H_
