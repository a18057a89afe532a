#ifndef TLSC_BASE_PARALLEL_H_
#define TLSC_BASE_PARALLEL_H_

#include <cstddef>
#include <functional>

#include "base/status.h"

namespace tlsc {

// A loop over independent tasks. The caller of a kernel supplies it, because only the caller knows
// which threads the process has to spare; kernels start none of their own.
class ParallelLoop {
 public:
  // Must not throw: it may run on a thread that has nobody to catch.
  using Task = std::function<void(size_t index)>;

  virtual ~ParallelLoop() = default;

  // Runs task(0) … task(count - 1), each exactly once, in any order and on any threads, and returns
  // when the last has finished. On failure some may not have run.
  virtual Status Run(size_t count, const Task& task) = 0;
};

}  // namespace tlsc

#endif  // TLSC_BASE_PARALLEL_H_
