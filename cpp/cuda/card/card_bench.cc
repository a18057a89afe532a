// Times the CUDA kernels on the first card of the machine, each in turn with a copy within the card
// of as many bytes. Prints a line of tab-separated values for each operator, shape and type; ms and
// copy_ms are medians.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda/card/card.h"
#include "cuda/channel_normalization.h"
#include "cuda/depthwise_conv.h"
#include "cuda/local_average_pool.h"
#include "cuda/local_windows.h"
#include "cuda/normalizations.h"
#include "cuda/replicate_scale.h"
#include "kernels/bench_cases.h"

namespace tlsc::cuda {
namespace {

constexpr size_t kRounds = 30;

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "card_bench: %s\n", status.message.c_str());
  std::exit(1);
}

void Check(cudaError_t error) { Check(ToStatus(error)); }

// What a call asks for is what the call before it asked for: nothing is allocated while time is
// taken.
class BenchLaunch final : public Launch {
 public:
  using Launch::Launch;

  Status Allocate(size_t bytes, void*& memory) override {
    if (next_ == blocks_.size()) {
      void* block = nullptr;
      if (Status status = ToStatus(cudaMalloc(&block, bytes)); !status.ok()) return status;
      blocks_.emplace_back(block);
    }
    memory = blocks_[next_++].get();
    return {};
  }

  void Rewind() { next_ = 0; }

 private:
  std::vector<CardMemory> blocks_;
  size_t next_ = 0;
};

template <typename T>
class CardTensor {
 public:
  // Of small finite numbers, whichever the type.
  explicit CardTensor(size_t elements) {
    void* memory = nullptr;
    Check(cudaMalloc(&memory, elements * sizeof(T)));
    memory_.reset(memory);
    Check(cudaMemset(memory, 0x3c, elements * sizeof(T)));
  }

  T* data() const { return static_cast<T*>(memory_.get()); }

 private:
  CardMemory memory_;
};

class Event {
 public:
  Event() { Check(cudaEventCreate(&event_)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { (void)cudaEventDestroy(event_); }

  void Record() const { Check(cudaEventRecord(event_, nullptr)); }

  double MillisecondsSince(const Event& earlier) const {
    Check(cudaEventSynchronize(event_));
    float milliseconds = 0;
    Check(cudaEventElapsedTime(&milliseconds, earlier.event_, event_));
    return static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

double Median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

template <typename T>
constexpr const char* kTypeName = "float32";
template <>
constexpr const char* kTypeName<Float16> = "float16";

// The operators on one shape. `moved` counts the elements that each reads and writes.
template <typename T>
class ShapeBench {
 public:
  ShapeBench(const Device& device, const BenchCase& one)
      : device_(device),
        one_(one),
        elements_(*ElementCount(one.shape)),
        x_(elements_),
        y_(elements_),
        ones_(one.shape.channels) {}

  void Run() const {
    const NchwShape& shape = one_.shape;
    const KernelShape window = {one_.window, one_.window};
    Time("LocalAveragePool", 2 * elements_, [&](Launch& launch) {
      return LocalAveragePool(x_.data(), shape, {window}, launch, y_.data());
    });
    Time("LocalInstanceNormalization", 2 * elements_, [&](Launch& launch) {
      return LocalInstanceNormalization(x_.data(), shape, ones_.data(), ones_.data(), {window},
                                        launch, y_.data());
    });
    // Of eight channels, or all that there are.
    const auto groups = static_cast<int64_t>(std::max<size_t>(1, shape.channels / 8));
    Time("LocalGroupNormalization", 2 * elements_, [&](Launch& launch) {
      return LocalGroupNormalization(x_.data(), shape, ones_.data(), ones_.data(), {window, groups},
                                     launch, y_.data());
    });
    Time("ChannelLayerNormalization", 2 * elements_, [&](Launch& launch) {
      return ChannelNormalization(x_.data(), shape, ones_.data(), ones_.data(), {}, launch,
                                  y_.data());
    });
    const CardTensor<T> weights(9 * shape.channels);
    Time("DepthwiseConv", 2 * elements_, [&](Launch& launch) {
      return DepthwiseConv(x_.data(), shape, weights.data(), ones_.data(), Gate::kNone, launch,
                           y_.data());
    });
    const NchwShape s_shape = LocalAveragePoolShape(shape, {window, Padding::kValid});
    const size_t s_elements = *ElementCount(s_shape);
    const CardTensor<T> s(s_elements);
    Time("ReplicateScale", 2 * elements_ + s_elements, [&](Launch& launch) {
      return ReplicateScale(x_.data(), shape, s.data(), s_shape, launch, y_.data());
    });
    const NchwShape p_shape = LocalWindowPartitionShape(shape, window);
    const size_t p_elements = *ElementCount(p_shape);
    const CardTensor<T> p(p_elements);
    Time("LocalWindowPartition", elements_ + p_elements, [&](Launch& launch) {
      return LocalWindowPartition(x_.data(), shape, window, launch, p.data());
    });
    Time("LocalWindowMerge", elements_ + p_elements, [&](Launch& launch) {
      return LocalWindowMerge(p.data(), p_shape, shape, launch, y_.data());
    });
  }

 private:
  void Time(const char* op, size_t moved, const std::function<Status(Launch&)>& run) const {
    // A copy moves each byte twice.
    const size_t copied = moved * sizeof(T) / 2;
    const CardTensor<char> from(copied);
    const CardTensor<char> to(copied);
    BenchLaunch launch(device_, nullptr);
    const Event start;
    const Event between;
    const Event end;
    std::vector<double> copies;
    std::vector<double> runs;
    for (size_t round = 0; round <= kRounds; ++round) {
      launch.Rewind();
      start.Record();
      Check(cudaMemcpyAsync(to.data(), from.data(), copied, cudaMemcpyDeviceToDevice, nullptr));
      between.Record();
      Check(run(launch));
      end.Record();
      const double run_ms = end.MillisecondsSince(between);
      if (round == 0) continue;  // It loads the kernel.
      copies.push_back(between.MillisecondsSince(start));
      runs.push_back(run_ms);
    }
    std::printf("%s\t%s\t%lld\t%s\t%.4f\t%.4f\n", op, ShapeName(one_.shape).c_str(),
                static_cast<long long>(one_.window), kTypeName<T>, Median(runs), Median(copies));
    std::fflush(stdout);
  }

  const Device& device_;
  const BenchCase& one_;
  size_t elements_;
  CardTensor<T> x_;
  CardTensor<T> y_;
  CardTensor<T> ones_;
};

void RunAll() {
  Device device = {};
  Check(QueryDevice(0, device));
  std::printf("operator\tshape\twindow\ttype\tms\tcopy_ms\n");
  for (const BenchCase& one : BenchCases()) {
    ShapeBench<float>(device, one).Run();
    ShapeBench<Float16>(device, one).Run();
  }
}

}  // namespace
}  // namespace tlsc::cuda

int main() { tlsc::cuda::RunAll(); }
