#include "mapped_file.h"

#include <iterator>
#include <map>
#include <mutex>
#include <system_error>

#include "errors.h"

#ifdef _WIN32
#include <windows.h>

#include <filesystem>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace tlsc {
namespace {

// What is mapped, by where it begins.
class Mapped {
 public:
  static Mapped& Get() {
    static Mapped& mapped = *new Mapped;  // outlives every JavaScript context
    return mapped;
  }

  void Add(char* begin, size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sizes_[begin] = size;
  }

  void Remove(char* begin) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sizes_.erase(begin);
  }

  // Under the lock, so that what lies there stays mapped meanwhile.
  void Drop(const void* data) {
#ifdef __linux__
    const std::lock_guard<std::mutex> lock(mutex_);
    auto after = sizes_.upper_bound(const_cast<char*>(static_cast<const char*>(data)));
    if (after == sizes_.begin()) return;
    const auto& [begin, size] = *std::prev(after);
    if (static_cast<const char*>(data) < begin + size) madvise(begin, size, MADV_DONTNEED);
#else
    // Elsewhere it would at most be a hint.
    (void)data;
#endif
  }

 private:
  std::mutex mutex_;
  std::map<char*, size_t> sizes_;
};

[[noreturn]] void Fail(const std::string& path, int error) {
  const std::error_code code(error, std::system_category());
  throw Error(
      code == std::errc::not_enough_memory ? ErrorCode::kOutOfMemory : ErrorCode::kInvalidArgument,
      "cannot map " + path + ": " + code.message());
}

#ifdef _WIN32
// Closes when it goes.
class Handle {
 public:
  explicit Handle(HANDLE value) : value_(value) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (ok()) CloseHandle(value_);
  }

  HANDLE get() const { return value_; }
  bool ok() const { return value_ != nullptr && value_ != INVALID_HANDLE_VALUE; }

 private:
  HANDLE value_;
};

char* Map(const std::string& path, size_t& size) {
  const auto fail = [&] { Fail(path, static_cast<int>(GetLastError())); };
  const Handle file(CreateFileW(std::filesystem::u8path(path).c_str(), GENERIC_READ,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  LARGE_INTEGER bytes = {};
  if (!file.ok() || !GetFileSizeEx(file.get(), &bytes)) fail();
  size = static_cast<size_t>(bytes.QuadPart);
  const Handle mapping(CreateFileMappingW(file.get(), nullptr, PAGE_WRITECOPY, 0, 0, nullptr));
  if (!mapping.ok()) fail();
  void* const memory = MapViewOfFile(mapping.get(), FILE_MAP_COPY, 0, 0, 0);
  if (memory == nullptr) fail();
  return static_cast<char*>(memory);
}

void Unmap(char* memory, size_t) { UnmapViewOfFile(memory); }
#else
char* Map(const std::string& path, size_t& size) {
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) Fail(path, errno);
  struct stat info = {};
  void* memory = MAP_FAILED;
  int error = 0;
  if (fstat(file, &info) == 0) {
    size = static_cast<size_t>(info.st_size);
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
  }
  if (memory == MAP_FAILED) error = errno;
  close(file);
  if (memory == MAP_FAILED) Fail(path, error);
  return static_cast<char*>(memory);
}

void Unmap(char* memory, size_t size) { munmap(memory, size); }
#endif

}  // namespace

MappedFile MapFile(const std::string& path) {
  size_t size = 0;
  char* const begin = Map(path, size);
  const auto end = [size](char* mapped) {
    Mapped::Get().Remove(mapped);
    Unmap(mapped, size);
  };
  const std::shared_ptr<char> memory(begin, end);
  Mapped::Get().Add(begin, size);
  return {memory, size};
}

void DropMappedPages(const void* data) noexcept { Mapped::Get().Drop(data); }

}  // namespace tlsc
