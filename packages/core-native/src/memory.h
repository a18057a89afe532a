#ifndef TLSC_CORE_NATIVE_MEMORY_H_
#define TLSC_CORE_NATIVE_MEMORY_H_

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

// How many bytes of whole pages are mapped for a size; 0 for one that is better left to malloc, and
// for any where pages cannot be had one by one, which is but on Linux.
size_t PagesFor(size_t size) noexcept;

// Fresh pages, `size` being what PagesFor() said. Null where there is no memory.
void* MapPages(size_t size) noexcept;
void UnmapPages(void* pages, size_t size) noexcept;

// Puts pages, contents and all, in the place of others, so that these need not be made anew. False
// where that cannot be done: `from` is as it was then, what lies at `to` may be fresh.
bool MovePages(void* from, size_t size, void* to) noexcept;

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_MEMORY_H_
