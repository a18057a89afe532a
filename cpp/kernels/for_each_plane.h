#ifndef TLSC_KERNELS_FOR_EACH_PLANE_H_
#define TLSC_KERNELS_FOR_EACH_PLANE_H_

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "base/parallel.h"
#include "base/status.h"

namespace tlsc {

// Bounds the scratch memory. Well above the cores of common machines, so that a loop still has
// tasks to even out when some threads are late.
inline constexpr size_t kMaxTasks = 64;

// Calls visit(plane, scratch) for every plane, consecutive planes in one task with one scratch, a
// copy of the prototype that make_scratch() returns. Everything is allocated before the loop
// starts: a task has no way to report that it ran out of memory.
template <typename MakeScratch, typename Visit>
Status ForEachPlane(size_t planes, ParallelLoop& loop, MakeScratch make_scratch, Visit visit) {
  try {
    const size_t tasks = std::min(planes, kMaxTasks);
    auto scratches = std::vector(tasks, make_scratch());
    const size_t share = planes / tasks;
    const size_t larger = planes % tasks;  // so many tasks take one plane more
    return loop.Run(tasks, [&](size_t task) {
      const size_t begin = task * share + std::min(task, larger);
      const size_t end = begin + share + (task < larger ? 1 : 0);
      for (size_t plane = begin; plane < end; ++plane) visit(plane, scratches[task]);
    });
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, "no memory for the scratch rows"};
  }
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_FOR_EACH_PLANE_H_
