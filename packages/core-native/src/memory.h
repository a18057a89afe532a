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

// How many bytes of whole huge pages are mapped for a size; 0 for one that is better left to
// malloc, and for any where pages cannot be had one by one, which is but on Linux. Never parts of a
// huge page: they would have to be split before they could move, and be zeroed anew.
size_t PagesFor(size_t size) noexcept;

// Fresh pages, `size` being what PagesFor() said; in front of them is room for kFront bytes, for
// those who write there what the pages are. Null where there is no memory.
constexpr size_t kFront = 64;
void* MapPages(size_t size) noexcept;

// With what is in front. `size` may be less than it was: what has moved away.
void UnmapPages(void* pages, size_t size) noexcept;

// The same but for a range in between, as what lies there may be another's.
void UnmapPagesBut(void* pages, size_t size, void* lost, size_t lost_size) noexcept;

enum class Moved {
  kYes,
  kNo,    // `from` is as it was; what lies at `to` may be fresh
  kLost,  // `from` is as it was; nobody can tell whose `to` is now
};

// Puts pages, contents and all, in the place of others, so that these need not be made anew.
Moved MovePages(void* from, size_t size, void* to) noexcept;

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_MEMORY_H_
