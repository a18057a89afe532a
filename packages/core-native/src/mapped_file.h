#ifndef TLSC_CORE_NATIVE_MAPPED_FILE_H_
#define TLSC_CORE_NATIVE_MAPPED_FILE_H_

#include <cstddef>
#include <memory>
#include <string>

namespace tlsc {

// A file as memory: its pages are read when they are looked at, and what is written to them stays
// out of the file.
struct MappedFile {
  std::shared_ptr<void> memory;
  size_t size = 0;
};

// Nobody may make the file shorter as long as it is mapped: to look at what is no longer there ends
// the process. Throws kInvalidArgument, kOutOfMemory.
MappedFile MapFile(const std::string& path);

// Gives the pages around `data` back, where it is memory of a mapped file that nobody has written
// to: they count as memory of the process, and come back by themselves.
void DropMappedPages(const void* data) noexcept;

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_MAPPED_FILE_H_
