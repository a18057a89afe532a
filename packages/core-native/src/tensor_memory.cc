#include "tensor_memory.h"

#include <cstdint>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace tlsc {
namespace {

// Tensors begin where vector loads want them; in front of each is its size.
constexpr size_t kAlignment = 64;

#ifdef __linux__
constexpr size_t kLarge = 1 << 20;

bool IsMapped(size_t size) { return size >= kLarge; }

void* Map(size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void Unmap(void* memory, size_t size) { munmap(memory, size); }
#else
bool IsMapped(size_t) { return false; }
void* Map(size_t) { return nullptr; }
void Unmap(void*, size_t) {}
#endif

void* ORT_API_CALL Allocate(OrtAllocator*, size_t wanted) {
  if (wanted > SIZE_MAX - kAlignment) return nullptr;
  const size_t size = wanted + kAlignment;
  void* const memory =
      IsMapped(size) ? Map(size) : ::operator new(size, std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) return nullptr;
  *static_cast<size_t*>(memory) = size;
  return static_cast<char*>(memory) + kAlignment;
}

void ORT_API_CALL Free(OrtAllocator*, void* tensor) {
  if (tensor == nullptr) return;
  void* const memory = static_cast<char*>(tensor) - kAlignment;
  const size_t size = *static_cast<size_t*>(memory);
  if (IsMapped(size)) {
    Unmap(memory, size);
  } else {
    ::operator delete(memory, std::align_val_t{kAlignment});
  }
}

}  // namespace

TensorMemory::TensorMemory(const OrtMemoryInfo* memory) : OrtAllocator{}, memory_(memory) {
  version = ORT_API_VERSION;
  Alloc = Allocate;
  Reserve = Allocate;
  OrtAllocator::Free = tlsc::Free;
  Info = [](const OrtAllocator* self) { return static_cast<const TensorMemory*>(self)->memory_; };
}

}  // namespace tlsc
