#ifndef TLSC_CORE_NATIVE_MEMORY_H_
#define TLSC_CORE_NATIVE_MEMORY_H_

#include <onnxruntime_c_api.h>

#include <cstddef>
#include <memory>

namespace tlsc {

// Ordinary memory that begins where vector loads want it. What is large is the system's again once
// it is freed: glibc's malloc would keep what is smaller than a threshold that it moves up to 32
// MB, and let it fall to pieces. Returns null where there is none.
void* AllocateMemory(size_t size) noexcept;
void FreeMemory(void* memory) noexcept;

// The same, freed with the last who holds it. Throws kOutOfMemory.
std::shared_ptr<void> NewMemory(size_t size);

// The same for tensors that no session holds. `memory` describes ordinary memory and must outlive
// the allocator.
class TensorMemory : public OrtAllocator {
 public:
  explicit TensorMemory(const OrtMemoryInfo* memory);

 private:
  const OrtMemoryInfo* memory_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_MEMORY_H_
