#ifndef TLSC_KERNELS_BANDS_H_
#define TLSC_KERNELS_BANDS_H_

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

// A range of vertical positions of the window in one plane: what a task works on at a time.
struct Band {
  size_t begin;
  size_t end;
};

// Bounds the scratch memory. Well above the cores of common machines, so that a loop still has
// tasks to even out when some threads are late.
inline constexpr size_t kMaxTasks = 64;

// With fewer planes than this they are cut into bands, so that one plane keeps several threads
// busy.
inline constexpr size_t kEnoughPlanes = 8;

// A band sums a window's height of rows before its first position; it must be worth that.
inline size_t BandsPerPlane(size_t planes, const WindowAxis& vertical) {
  if (planes >= kEnoughPlanes) return 1;
  const size_t worthwhile = vertical.positions / std::max<size_t>(vertical.window, 32);
  return std::clamp<size_t>(worthwhile, 1, kEnoughPlanes / planes);
}

// Calls visit(plane, band, scratch) for bands that cover every position of every plane, consecutive
// ones in one task with one scratch, a copy of the prototype that make_scratch() returns.
// Everything is allocated before the loop starts: a task has no way to report that it ran out of
// memory.
template <typename MakeScratch, typename Visit>
Status ForEachBand(size_t planes, const WindowAxis& vertical, ParallelLoop& loop,
                   MakeScratch make_scratch, Visit visit) {
  try {
    const size_t per_plane = BandsPerPlane(planes, vertical);
    const size_t bands = planes * per_plane;
    const size_t tasks = std::min(bands, kMaxTasks);
    auto scratches = std::vector(tasks, make_scratch());
    return loop.Run(tasks, [&](size_t task) {
      const size_t end = bands * (task + 1) / tasks;
      for (size_t index = bands * task / tasks; index < end; ++index) {
        const size_t number = index % per_plane;
        const Band band = {vertical.positions * number / per_plane,
                           vertical.positions * (number + 1) / per_plane};
        visit(index / per_plane, band, scratches[task]);
      }
    });
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, "no memory for the scratch rows"};
  }
}

// An output of this size does not fit the caches anyhow: it is written past them, so that they keep
// what is being read.
inline constexpr size_t kStreamedBytes = size_t{8} << 20;

}  // namespace tlsc

#endif  // TLSC_KERNELS_BANDS_H_
