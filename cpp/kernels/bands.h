#ifndef TLSC_KERNELS_BANDS_H_
#define TLSC_KERNELS_BANDS_H_

#include <algorithm>
#include <cstddef>

#include "base/parallel.h"
#include "base/status.h"
#include "kernels/scratch.h"
#include "kernels/window.h"

namespace tlsc {

// A range of vertical positions of the window in one plane: what a task works on at a time.
struct Band {
  size_t begin;
  size_t end;
};

// What one call of a vector body works on.
template <typename T>
struct BandOf {
  const T* x;  // the plane
  T* y;
  const Window& window;
  Band positions;
  bool streams;  // the tensor does not fit the caches
  // Planes, one behind the other from x and y on, that share each window. Without fast mode only.
  size_t channels = 1;
};

// Well above the cores of common machines, so that a loop still has tasks to even out when some
// threads are late.
inline constexpr size_t kMaxTasks = 64;

// Tasks for a loop over rows that does little per element: each worth the way to another thread,
// some ten microseconds of work.
inline size_t RowTasks(size_t elements) {
  constexpr size_t kTaskElements = size_t{1} << 15;
  return std::clamp<size_t>(elements / kTaskElements, 1, kMaxTasks);
}

// With fewer planes than this they are cut into bands, so that one plane keeps several threads
// busy.
inline constexpr size_t kEnoughPlanes = 8;

// A band sums a window's height of rows before its first position; it must be worth that.
inline size_t BandsPerPlane(size_t planes, const WindowAxis& vertical) {
  if (planes >= kEnoughPlanes) return 1;
  const size_t worthwhile = vertical.positions / std::max<size_t>(vertical.window, 32);
  return std::clamp<size_t>(worthwhile, 1, kEnoughPlanes / planes);
}

// Calls visit(plane, band, rows) for bands that cover every position of every plane. `rows` are the
// thread's own, of type Rows (scratch.h).
template <typename Rows, typename Visit>
Status ForEachBand(size_t planes, const Window& window, ParallelLoop& loop, Visit visit) {
  const size_t positions = window.vertical.positions;
  const size_t per_plane = BandsPerPlane(planes, window.vertical);
  const size_t bands = planes * per_plane;
  const size_t tasks = std::min(bands, kMaxTasks);
  const auto cut = [&](RowCutter& cutter) { return Rows(cutter, window); };
  return RunWithScratch(loop, tasks, cut, [&](size_t task, const Rows& rows) {
    const size_t end = bands * (task + 1) / tasks;
    for (size_t index = bands * task / tasks; index < end; ++index) {
      const size_t number = index % per_plane;
      const Band band = {positions * number / per_plane, positions * (number + 1) / per_plane};
      visit(index / per_plane, band, rows);
    }
  });
}

// From this size on a tensor's rows are fetched ahead, and what comes out is written past the
// caches, so that they keep what is being read, each row of it two or three times.
inline constexpr size_t kStreamedBytes = size_t{8} << 20;

}  // namespace tlsc

#endif  // TLSC_KERNELS_BANDS_H_
