#ifndef TLSC_KERNELS_SCRATCH_H_
#define TLSC_KERNELS_SCRATCH_H_

#include <atomic>
#include <cstddef>
#include <new>

#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

// The memory that the vector bodies work in: a few rows of a plane's width per thread, or a block
// of pixels, never a plane.
namespace tlsc {

// At least `bytes` of memory, beginning with a cache line, for the calling thread's task. The
// thread keeps it for its next ones, as long as it lives. Null when there is not that much.
std::byte* ThreadScratch(size_t bytes) noexcept;

// Cuts memory into rows. Each begins with a cache line: a vector that straddles two takes twice as
// long to load. Without memory it only counts the bytes.
class RowCutter {
 public:
  explicit RowCutter(std::byte* memory = nullptr) : memory_(memory) {}

  // Throws std::bad_alloc where counting would overflow.
  template <typename T>
  T* Cut(size_t elements) {
    constexpr size_t kLine = 64;
    if (elements > kMostElements) throw std::bad_alloc();
    T* row = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + bytes_);
    bytes_ += (elements * sizeof(T) + kLine - 1) / kLine * kLine;
    return row;
  }

  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kMostElements = SIZE_MAX / 1024;

  std::byte* memory_;
  size_t bytes_ = 0;
};

// Runs tasks as the loop does: visit(task, rows), with the rows that cut(cutter) makes of memory
// that is the thread's own.
template <typename Cut, typename Visit>
Status RunWithScratch(ParallelLoop& loop, size_t tasks, const Cut& cut, const Visit& visit) {
  try {
    RowCutter counter;
    cut(counter);
    std::atomic<bool> starves = false;  // a task has no other way to say so
    const Status status = loop.Run(tasks, [&](size_t task) {
      std::byte* memory = ThreadScratch(counter.bytes());
      if (memory == nullptr) {
        starves = true;
        return;
      }
      RowCutter cutter(memory);
      visit(task, cut(cutter));
    });
    if (!starves) return status;
  } catch (const std::bad_alloc&) {
    // As below.
  }
  return {StatusCode::kOutOfMemory, "no memory for the scratch rows"};
}

// What goes by column of the plane, or by sample of a row in fast mode.
template <typename T>
struct ColumnRows {
  ColumnRows(RowCutter& cutter, const Window& window)
      : values(cutter.Cut<double>(window.horizontal.samples)),
        squares(cutter.Cut<double>(window.horizontal.samples)) {
    if (window.horizontal.stride == 1) return;
    entering = cutter.Cut<T>(window.horizontal.samples);
    leaving = cutter.Cut<T>(window.horizontal.samples);
  }

  double* values;
  double* squares;
  // The samples of a row, gathered.
  T* entering = nullptr;
  T* leaving = nullptr;
};

template <typename T>
struct PoolRows {
  PoolRows(RowCutter& cutter, const Window& window)
      : columns(cutter, window), mean(cutter.Cut<float>(window.horizontal.outputs)) {}

  ColumnRows<T> columns;
  float* mean;
};

template <typename T>
struct NormRows {
  NormRows(RowCutter& cutter, const Window& window)
      : columns(cutter, window),
        mean(cutter.Cut<float>(window.horizontal.outputs)),
        mean_rest(cutter.Cut<float>(window.horizontal.outputs)),
        factor(cutter.Cut<float>(window.horizontal.outputs)),
        wide_mean(cutter.Cut<double>(window.horizontal.outputs)),
        wide_factor(cutter.Cut<double>(window.horizontal.outputs)) {}

  ColumnRows<T> columns;
  float* mean;       // cut down to float32,
  float* mean_rest;  // and what that has cut off
  float* factor;     // 1 / sqrt(variance + epsilon)
  // For what float32 has no room for; not touched otherwise.
  double* wide_mean;  // less the pivot
  double* wide_factor;
};

// What a group of channels is normalized with, besides its own statistics.
template <typename T>
struct GroupNorm {
  double pivot;  // taken off every value before summing
  double epsilon;
  const T* scale;  // of its channels, like the next
  const T* bias;
  float alpha;  // what is below 0 afterwards is multiplied with
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_SCRATCH_H_
