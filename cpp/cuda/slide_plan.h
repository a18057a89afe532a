#ifndef TLSC_CUDA_SLIDE_PLAN_H_
#define TLSC_CUDA_SLIDE_PLAN_H_

#include <algorithm>
#include <cstddef>

#include "kernels/window.h"

// How the sliding kernels share their work out. A block owns a rectangle of outputs of a plane (a
// strip of a band): it sums the columns under the window of its first row, moves them down row by
// row, and slides the window right over them. What it needs of the rows above its own it does not
// read: another kernel has summed every column over segments of kSegmentRows rows.
namespace tlsc::cuda {

inline constexpr size_t kThreads = 256;
// Rows of samples that are summed ahead.
inline constexpr size_t kSegmentRows = 32;

// What the plan follows from, besides the tensor.
struct DeviceLimits {
  size_t multiprocessors;
  size_t shared_bytes;  // that a block can be given
};

// The outputs of a block.
struct SlideTask {
  size_t plane;
  size_t row_begin, row_end;
  size_t column_begin, column_end;
};

struct SlidePlan {
  Window window;
  size_t planes;       // or groups of them, each with sums of its own
  size_t band_rows;    // outputs down; the last band may have fewer
  size_t bands;        // of each plane
  size_t strip_width;  // outputs across; the last strip may have fewer
  size_t strips;       // of each band
  size_t step_rows;    // positions of the window that are slid over at a time
  size_t pitch;        // columns that a block keeps sums of, at most
  size_t segments;     // of each plane
  bool in_shared;      // whether these sums fit where a block's threads share them

  constexpr size_t blocks() const { return planes * bands * strips; }

  // What a block keeps, if a column's sums take `sum_bytes`: the columns, those of every row in
  // work, and a total for each thread.
  constexpr size_t shared_bytes(size_t sum_bytes) const {
    return (pitch * (step_rows + 1) + kThreads) * sum_bytes;
  }

  // Columns of samples in segments, in all planes.
  constexpr size_t segment_sums() const { return planes * segments * window.horizontal.samples; }
  constexpr size_t PlaneOfSegment(size_t index) const {
    return index / window.horizontal.samples / segments;
  }

  constexpr SlideTask TaskOf(size_t block) const {
    const size_t strip = block % strips;
    const size_t band = block / strips % bands;
    const size_t row = band * band_rows;
    const size_t column = strip * strip_width;
    return {block / strips / bands, row, std::min(row + band_rows, window.vertical.outputs), column,
            std::min(column + strip_width, window.horizontal.outputs)};
  }
};

// `sum_bytes` are kept for each column and row of it that is in work. All sizes of the tensor are
// at least 1, and so is the window.
SlidePlan MakeSlidePlan(const Window& window, size_t planes, size_t sum_bytes,
                        const DeviceLimits& device);

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_SLIDE_PLAN_H_
