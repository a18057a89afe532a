#ifndef TLSC_CORE_NATIVE_RUN_MEMORY_H_
#define TLSC_CORE_NATIVE_RUN_MEMORY_H_

#include <onnxruntime_c_api.h>

#include <cstddef>
#include <vector>

namespace tlsc {

struct Block;

// Memory that no tensor lies in.
struct SpareBlocks {
  SpareBlocks() = default;
  SpareBlocks(SpareBlocks&& other) noexcept;
  SpareBlocks& operator=(SpareBlocks&& other) noexcept;
  ~SpareBlocks();

  std::vector<Block*> blocks;
  size_t size = 0;  // of all, in bytes
};

// The memory of one run: what is allocated and freed on the thread that it is current on. Freed
// blocks are handed out again while the run goes on, and given back where the run would otherwise
// come to have more memory than its tensors ever took at once: ONNX Runtime's own arena takes
// twice that for an image restoration network.
class RunMemory {
 public:
  // `limit`: the most bytes that its tensors may take at once. `spare`: what an earlier run of the
  // same kind has left.
  RunMemory(size_t limit, SpareBlocks spare);
  ~RunMemory();
  RunMemory(const RunMemory&) = delete;
  RunMemory& operator=(const RunMemory&) = delete;

  // Of this thread, until the destructor.
  class Current {
   public:
    explicit Current(RunMemory& memory);
    ~Current();
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
  };

  // The most bytes that its tensors took at once.
  size_t peak() const;

  // The bytes that it did not get, of the last time; 0 where it got all.
  size_t refused() const;

  // Whether a tensor that was made here begins there, which is large: then it has that memory to
  // itself.
  bool Owns(const void* data) const;

  // What no tensor lies in, for a later run; this one must be over.
  SpareBlocks TakeSpare();

  // Shared with the tensors that outlive the run.
  class Account;

 private:
  Account* account_;
};

// ONNX Runtime's allocator of ordinary memory, for its sessions and for tensors that no session
// holds. Where there is no memory, or a run is over its limit, ONNX Runtime throws std::bad_alloc:
// it uses what it gets from an allocator unseen.
class TensorMemory : public OrtAllocator {
 public:
  // `memory` describes ordinary memory; `throwing` is ONNX Runtime's own. Both must outlive it.
  TensorMemory(const OrtMemoryInfo* memory, OrtAllocator* throwing);

 private:
  static void* ORT_API_CALL Allocate(OrtAllocator* self, size_t size);

  const OrtMemoryInfo* memory_;
  OrtAllocator* throwing_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_RUN_MEMORY_H_
