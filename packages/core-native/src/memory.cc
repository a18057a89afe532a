#include "memory.h"

#include <cstdint>
#include <new>
#include <string>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "errors.h"

namespace tlsc {
namespace {

// In front of what is handed out is its size.
constexpr size_t kAlignment = 64;

#ifdef __linux__
constexpr size_t kLarge = 1 << 20;
constexpr size_t kHuge = 8 << 20;

bool IsMapped(size_t size) { return size >= kLarge; }

void* Map(size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  // To touch fresh memory 4 KiB at a time costs several times what it takes to write it. A wish:
  // where it is not granted, nothing is lost.
  if (size >= kHuge) madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

void Unmap(void* memory, size_t size) { munmap(memory, size); }
#else
bool IsMapped(size_t) { return false; }
void* Map(size_t) { return nullptr; }
void Unmap(void*, size_t) {}
#endif

void* ORT_API_CALL AllocateTensor(OrtAllocator*, size_t size) { return AllocateMemory(size); }
void ORT_API_CALL FreeTensor(OrtAllocator*, void* tensor) { FreeMemory(tensor); }

}  // namespace

void* AllocateMemory(size_t wanted) noexcept {
  if (wanted > SIZE_MAX - kAlignment) return nullptr;
  const size_t size = wanted + kAlignment;
  void* const memory =
      IsMapped(size) ? Map(size) : ::operator new(size, std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) return nullptr;
  *static_cast<size_t*>(memory) = size;
  return static_cast<char*>(memory) + kAlignment;
}

void FreeMemory(void* handed_out) noexcept {
  if (handed_out == nullptr) return;
  void* const memory = static_cast<char*>(handed_out) - kAlignment;
  const size_t size = *static_cast<size_t*>(memory);
  if (IsMapped(size)) {
    Unmap(memory, size);
  } else {
    ::operator delete(memory, std::align_val_t{kAlignment});
  }
}

std::shared_ptr<void> NewMemory(size_t size) {
  std::shared_ptr<void> memory(AllocateMemory(size), FreeMemory);
  if (memory != nullptr) return memory;
  throw Error(ErrorCode::kOutOfMemory, "no memory for " + std::to_string(size) + " bytes");
}

TensorMemory::TensorMemory(const OrtMemoryInfo* memory) : OrtAllocator{}, memory_(memory) {
  version = ORT_API_VERSION;
  Alloc = AllocateTensor;
  Reserve = AllocateTensor;
  OrtAllocator::Free = FreeTensor;
  Info = [](const OrtAllocator* self) { return static_cast<const TensorMemory*>(self)->memory_; };
}

}  // namespace tlsc
