#include "kernels/scratch.h"

#include <memory>

namespace tlsc {
namespace {

constexpr std::align_val_t kLine{64};

struct Free {
  void operator()(std::byte* memory) const { ::operator delete(memory, kLine); }
};

struct Scratch {
  std::unique_ptr<std::byte, Free> memory;
  size_t bytes = 0;
};

}  // namespace

std::byte* ThreadScratch(size_t bytes) noexcept {
  thread_local Scratch scratch;
  if (scratch.bytes < bytes) {
    scratch = {};  // first, so that the two never count together
    scratch.memory.reset(static_cast<std::byte*>(::operator new(bytes, kLine, std::nothrow)));
    if (scratch.memory) scratch.bytes = bytes;
  }
  return scratch.memory.get();
}

}  // namespace tlsc
