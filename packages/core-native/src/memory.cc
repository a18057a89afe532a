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
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kHuge = 4 * kHugePage;

char* Map(size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}
#endif

}  // namespace

#ifdef __linux__
size_t PagesFor(size_t size) noexcept {
  if (size < kLarge || size > SIZE_MAX - kHugePage) return 0;
  const size_t page = size < kHuge ? size_t{1} << 16 : kHugePage;
  return (size + page - 1) / page * page;
}

void* MapPages(size_t size) noexcept {
  if (size < kHuge) return Map(size);
  char* const memory = Map(size + kHugePage);
  if (memory == nullptr) return nullptr;
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(memory) % kHugePage) % kHugePage;
  if (before > 0) munmap(memory, before);
  if (before < kHugePage) munmap(memory + before + size, kHugePage - before);
  // To touch fresh memory 4 KiB at a time costs several times what it takes to write it. A wish:
  // where it is not granted, nothing is lost.
  madvise(memory + before, size, MADV_HUGEPAGE);
  return memory + before;
}

void UnmapPages(void* pages, size_t size) noexcept { munmap(pages, size); }

bool MovePages(void* from, size_t size, void* to) noexcept {
  if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to) return true;
  // The kernel may have taken away what lay there before it saw that it could not: nobody else may
  // get that.
  mmap(to, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  return false;
}
#else
size_t PagesFor(size_t) noexcept { return 0; }
void* MapPages(size_t) noexcept { return nullptr; }
void UnmapPages(void*, size_t) noexcept {}
bool MovePages(void*, size_t, void*) noexcept { return false; }
#endif

void* AllocateMemory(size_t wanted) noexcept {
  if (wanted > SIZE_MAX - kAlignment) return nullptr;
  const size_t size = wanted + kAlignment;
  const size_t pages = PagesFor(size);
  void* const memory = pages > 0 ? MapPages(pages)
                                 : ::operator new(size, std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) return nullptr;
  *static_cast<size_t*>(memory) = size;
  return static_cast<char*>(memory) + kAlignment;
}

void FreeMemory(void* handed_out) noexcept {
  if (handed_out == nullptr) return;
  void* const memory = static_cast<char*>(handed_out) - kAlignment;
  const size_t pages = PagesFor(*static_cast<size_t*>(memory));
  if (pages > 0) {
    UnmapPages(memory, pages);
  } else {
    ::operator delete(memory, std::align_val_t{kAlignment});
  }
}

std::shared_ptr<void> NewMemory(size_t size) {
  std::shared_ptr<void> memory(AllocateMemory(size), FreeMemory);
  if (memory != nullptr) return memory;
  throw Error(ErrorCode::kOutOfMemory, "no memory for " + std::to_string(size) + " bytes");
}

}  // namespace tlsc
