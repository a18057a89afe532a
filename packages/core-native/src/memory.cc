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

#ifdef __linux__
constexpr size_t kHugePage = 2 << 20;

// What is mapped in front: a whole page, of the largest that a system has.
constexpr size_t kFrontPage = 1 << 16;
static_assert(kFrontPage >= kFront, "the room in front");

char* Map(size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

// A process may have but so many mappings, and to unmap a part of one makes two: what cannot be
// unmapped is at least emptied.
void Unmap(char* memory, size_t size) {
  if (size > 0 && munmap(memory, size) != 0) madvise(memory, size, MADV_DONTNEED);
}
#endif

}  // namespace

#ifdef __linux__
size_t PagesFor(size_t size) noexcept {
  if (size < kHugePage || size > SIZE_MAX - 4 * kHugePage) return 0;
  return (size + kHugePage - 1) / kHugePage * kHugePage;
}

void* MapPages(size_t size) noexcept {
  char* const memory = Map(kFrontPage + kHugePage + size);
  if (memory == nullptr) return nullptr;
  // The first address after a front page where a huge page may begin.
  const uintptr_t first = reinterpret_cast<uintptr_t>(memory) + kFrontPage;
  const size_t before = (kHugePage - first % kHugePage) % kHugePage;
  char* const pages = memory + before + kFrontPage;
  Unmap(memory, before);
  Unmap(pages + size, kHugePage - before);
  // To touch fresh memory 4 KiB at a time costs several times what it takes to write it. A wish:
  // where it is not granted, nothing is lost.
  madvise(pages, size, MADV_HUGEPAGE);
  return pages;
}

void UnmapPages(void* pages, size_t size) noexcept {
  Unmap(static_cast<char*>(pages) - kFrontPage, kFrontPage + size);
}

void UnmapPagesBut(void* pages, size_t size, void* lost, size_t lost_size) noexcept {
  char* const begin = static_cast<char*>(pages);
  char* const gap = static_cast<char*>(lost);
  UnmapPages(pages, static_cast<size_t>(gap - begin));
  Unmap(gap + lost_size, static_cast<size_t>(begin + size - (gap + lost_size)));
}

Moved MovePages(void* from, size_t size, void* to) noexcept {
  if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to) return Moved::kYes;
  // The kernel may have taken away what lay there before it saw that it could not: then there is
  // room again, unless another thread was faster.
  void* const again = mmap(to, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (again == to) return Moved::kNo;
  if (again != MAP_FAILED) munmap(again, size);  // old kernels put it elsewhere
  return Moved::kLost;
}
#else
size_t PagesFor(size_t) noexcept { return 0; }
void* MapPages(size_t) noexcept { return nullptr; }
void UnmapPages(void*, size_t) noexcept {}
void UnmapPagesBut(void*, size_t, void*, size_t) noexcept {}
Moved MovePages(void*, size_t, void*) noexcept { return Moved::kNo; }
#endif

void* AllocateMemory(size_t size) noexcept {
  if (size > SIZE_MAX - kFront) return nullptr;
  const size_t pages = PagesFor(size);
  char* memory = nullptr;
  if (pages > 0) {
    memory = static_cast<char*>(MapPages(pages));
  } else {
    void* const own = ::operator new(kFront + size, std::align_val_t{kFront}, std::nothrow);
    if (own != nullptr) memory = static_cast<char*>(own) + kFront;
  }
  if (memory != nullptr) *reinterpret_cast<size_t*>(memory - kFront) = pages;
  return memory;
}

void FreeMemory(void* memory) noexcept {
  if (memory == nullptr) return;
  char* const front = static_cast<char*>(memory) - kFront;
  const size_t pages = *reinterpret_cast<size_t*>(front);
  if (pages > 0) {
    UnmapPages(memory, pages);
  } else {
    ::operator delete(front, std::align_val_t{kFront});
  }
}

std::shared_ptr<void> NewMemory(size_t size) {
  std::shared_ptr<void> memory(AllocateMemory(size), FreeMemory);
  if (memory != nullptr) return memory;
  throw Error(ErrorCode::kOutOfMemory, "no memory for " + std::to_string(size) + " bytes");
}

}  // namespace tlsc
