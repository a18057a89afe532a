#ifndef TLSC_CUDA_SLIDING_SUMS_H_
#define TLSC_CUDA_SLIDING_SUMS_H_

#include <cstddef>

#include "cuda/float_pair.h"
#include "cuda/host_device.h"
#include "cuda/pixel.h"
#include "cuda/slide_plan.h"

// The bodies of the sliding kernels (slide_plan.h), of which DeviceBlock and HostBlock run the same
// code. A Load makes of a pixel the kSums numbers that are summed:
//   static constexpr size_t kSums;
//   void operator()(float pixel, Sum (&numbers)[kSums]) const;
namespace tlsc::cuda {

// The channels of a group of planes, which share their sums.
template <typename T>
struct Channels {
  const T* x;         // the first
  size_t count;       // as many, one behind the other
  size_t plane_size;  // from one to the next
};

// Where a sample lies in its plane.
constexpr size_t PixelOf(const Window& window, size_t row, size_t column) {
  const auto& [vertical, horizontal] = window;
  return (vertical.first + row * vertical.stride) * horizontal.length + horizontal.first +
         column * horizontal.stride;
}

// The numbers of one sample, added up over the channels.
template <typename Sum, typename T, typename Load>
TLSC_HOST_DEVICE void AddSample(const Channels<T>& from, size_t pixel, const Load& load,
                                Sum (&sums)[Load::kSums]) {
  for (size_t channel = 0; channel < from.count; ++channel) {
    Sum numbers[Load::kSums];
    load(Widen(from.x[channel * from.plane_size + pixel]), numbers);
    for (size_t i = 0; i < Load::kSums; ++i) sums[i] = sums[i] + numbers[i];
  }
}

// Sums a segment of one column of samples: the one that has this index among plan.segment_sums().
// The sums of all lie as [planes, segments, kSums, samples].
template <typename Sum, typename T, typename Load>
TLSC_HOST_DEVICE void SumSegment(const SlidePlan& plan, const Channels<T>& from, size_t index,
                                 const Load& load, Sum* segments) {
  const size_t samples = plan.window.horizontal.samples;
  const size_t column = index % samples;
  const size_t begin = index / samples % plan.segments * kSegmentRows;
  const size_t end = std::min(begin + kSegmentRows, plan.window.vertical.samples);
  Sum sums[Load::kSums] = {};
  for (size_t row = begin; row < end; ++row) {
    AddSample(from, PixelOf(plan.window, row, column), load, sums);
  }
  for (size_t i = 0; i < Load::kSums; ++i) {
    segments[(index / samples * Load::kSums + i) * samples + column] = sums[i];
  }
}

// What a block works in: memory of plan.shared_bytes(kSums * sizeof(Sum)).
template <typename Sum, size_t kSums>
class SlideMemory {
 public:
  TLSC_HOST_DEVICE SlideMemory(const SlidePlan& plan, void* memory)
      : pitch_(plan.pitch), step_rows_(plan.step_rows), sums_(static_cast<Sum*>(memory)) {}

  TLSC_HOST_DEVICE Sum& Column(size_t sum, size_t column) { return sums_[sum * pitch_ + column]; }
  // Of one of the rows in work.
  TLSC_HOST_DEVICE Sum* Row(size_t sum, size_t row) {
    return sums_ + (kSums + sum * step_rows_ + row) * pitch_;
  }
  TLSC_HOST_DEVICE Sum& Total(size_t sum, size_t thread) {
    return sums_[kSums * (1 + step_rows_) * pitch_ + sum * kThreads + thread];
  }

 private:
  size_t pitch_;
  size_t step_rows_;
  Sum* sums_;
};

// Slides over the outputs of a task, and calls write(row_begin, row_end, column, sums) for the
// outputs of rows row_begin … row_end - 1 of each column, whose window has these sums. `segments`
// may be null. Returns whether all sums were finite; if not, they are not to be trusted.
template <typename Sum, typename Block, typename T, typename Load, typename Write>
TLSC_HOST_DEVICE bool SlideOver(const Block& block, const SlidePlan& plan, const SlideTask& task,
                                const Channels<T>& from, const Sum* segments, void* memory_bytes,
                                const Load& load, const Write& write) {
  constexpr size_t kSums = Load::kSums;
  const WindowAxis& vertical = plan.window.vertical;
  const WindowAxis& horizontal = plan.window.horizontal;
  const size_t left = horizontal.PositionOf(task.column_begin);
  const size_t columns = horizontal.PositionOf(task.column_end - 1) - left + horizontal.window;
  const size_t first = vertical.PositionOf(task.row_begin);
  const size_t end = vertical.PositionOf(task.row_end - 1) + 1;
  SlideMemory<Sum, kSums> memory(plan, memory_bytes);
  // An infinity stays in a running sum, and turns into a NaN that stays when it leaves: it shows in
  // the windows of its columns. So does a sum over columns that only this type has no room for.
  bool finite = true;  // what this thread has come upon

  // The columns under the window of the first position.
  block.Run([&](size_t thread) {
    for (size_t column = thread; column < columns; column += block.threads()) {
      Sum sums[kSums] = {};
      const size_t bottom = first + vertical.window;
      for (size_t row = first; row < bottom;) {
        if (segments != nullptr && row % kSegmentRows == 0 && row + kSegmentRows <= bottom) {
          const size_t segment = task.plane * plan.segments + row / kSegmentRows;
          for (size_t i = 0; i < kSums; ++i) {
            const size_t at = (segment * kSums + i) * horizontal.samples + left + column;
            sums[i] = sums[i] + segments[at];
          }
          row += kSegmentRows;
        } else {
          AddSample(from, PixelOf(plan.window, row, left + column), load, sums);
          ++row;
        }
      }
      for (size_t i = 0; i < kSums; ++i) memory.Column(i, column) = sums[i];
    }
  });

  const size_t row_threads = block.threads() / plan.step_rows;
  // Odd, so that threads beside each other reach for other banks.
  const size_t chunk = ((columns + row_threads - 1) / row_threads) | 1;
  for (size_t top = first; top < end; top += plan.step_rows) {
    const size_t rows = std::min(plan.step_rows, end - top);
    block.Run([&](size_t thread) {
      for (size_t column = thread; column < columns; column += block.threads()) {
        for (size_t row = 0; row < rows; ++row) {
          const size_t position = top + row;
          Sum entering[kSums] = {};
          Sum leaving[kSums] = {};
          if (position > first) {
            const size_t last = position + vertical.window - 1;
            AddSample(from, PixelOf(plan.window, last, left + column), load, entering);
            AddSample(from, PixelOf(plan.window, position - 1, left + column), load, leaving);
          }
          for (size_t i = 0; i < kSums; ++i) {
            Sum& sum = memory.Column(i, column);
            sum = sum + (entering[i] - leaving[i]);
            memory.Row(i, row)[column] = sum;
          }
        }
      }
    });
    // Each row becomes the sums of its columns up to each: chunks of it first, by a thread each.
    const auto run_chunks = [&](const auto& run) {
      block.Run([&](size_t thread) {
        const size_t row = thread / row_threads;
        if (row >= rows) return;
        const size_t begin = thread % row_threads * chunk;
        for (size_t i = 0; i < kSums; ++i) {
          run(thread, i, row, begin, std::min(begin + chunk, columns));
        }
      });
    };
    run_chunks([&](size_t thread, size_t i, size_t row, size_t begin, size_t chunk_end) {
      Sum total = {};
      for (size_t at = begin; at < chunk_end; ++at) total = total + memory.Row(i, row)[at];
      memory.Total(i, thread) = total;
    });
    run_chunks([&](size_t thread, size_t i, size_t row, size_t begin, size_t chunk_end) {
      Sum sum = {};
      for (size_t other = row * row_threads; other < thread; ++other) {
        sum = sum + memory.Total(i, other);
      }
      for (size_t at = begin; at < chunk_end; ++at) {
        sum = sum + memory.Row(i, row)[at];
        memory.Row(i, row)[at] = sum;
      }
    });
    block.Run([&](size_t thread) {
      for (size_t row = 0; row < rows; ++row) {
        const size_t row_begin = std::max(task.row_begin, vertical.OutputBegin(top + row));
        const size_t row_end = std::min(task.row_end, vertical.OutputEnd(top + row));
        for (size_t column = task.column_begin + thread; column < task.column_end;
             column += block.threads()) {
          const size_t position = horizontal.PositionOf(column) - left;
          Sum sums[kSums];
          for (size_t i = 0; i < kSums; ++i) {
            sums[i] = memory.Row(i, row)[position + horizontal.window - 1];
            if (position > 0) sums[i] = sums[i] - memory.Row(i, row)[position - 1];
            finite = finite && IsFinite(sums[i]);
          }
          write(row_begin, row_end, column, sums);
        }
      }
    });
  }
  return !block.Any([&](size_t) { return !finite; });
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_SLIDING_SUMS_H_
