#include "run_memory.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_set>
#include <utility>

#include "memory.h"

namespace tlsc {

// The memory of a tensor.
struct Block {
  char* memory;  // where the tensor begins; in front of it is the address of this
  size_t size;
  bool is_mapped;  // pages, else in what is of AllocateMemory()
  // Sizes of pages that lie side by side but were mapped apart: older kernels move no others at
  // once.
  std::vector<size_t> pieces;
  RunMemory::Account* account;  // null: of no run

  char* end() const { return memory + size; }
};

namespace {

// Smaller ones are malloc's, which keeps them for itself; where there are pages to be had, these
// are mapped.
constexpr size_t kLarge = 2 << 20;

// A spare block may be larger by this part of what is asked for.
constexpr size_t kWasted = 16;

// What no allocator has.
constexpr size_t kTooMuch = SIZE_MAX / 2;

thread_local RunMemory::Account* current_account = nullptr;

void FreeBlock(Block* block) noexcept {
  if (block->is_mapped) {
    UnmapPages(block->memory, block->size);
  } else {
    FreeMemory(block->memory - kFront);
  }
  delete block;
}

// Of a tensor: whole pages where what malloc would be asked for were pages, too.
size_t SizeFor(size_t size) {
  return PagesFor(kFront + size) > 0 ? PagesFor(std::max(size, kLarge)) : size;
}

// `size` being what SizeFor() said. Null where there is no memory.
Block* NewBlock(size_t size) {
  const bool is_mapped = PagesFor(size) > 0;
  auto block = std::make_unique<Block>(Block{nullptr, size, is_mapped, {size}, nullptr});
  void* const memory = is_mapped ? MapPages(size) : AllocateMemory(kFront + size);
  if (memory == nullptr) return nullptr;
  block->memory = static_cast<char*>(memory) + (is_mapped ? 0 : kFront);
  return block.release();
}

}  // namespace

SpareBlocks::SpareBlocks(SpareBlocks&& other) noexcept
    : blocks(std::exchange(other.blocks, {})), size(std::exchange(other.size, 0)) {}

SpareBlocks& SpareBlocks::operator=(SpareBlocks&& other) noexcept {
  std::swap(blocks, other.blocks);
  std::swap(size, other.size);
  return *this;
}

SpareBlocks::~SpareBlocks() {
  for (Block* block : blocks) FreeBlock(block);
}

// Counts one holder for the run and one for each block in use; goes with the last.
class RunMemory::Account {
 public:
  Account(size_t limit, SpareBlocks spare)
      : limit_(limit), spare_(std::move(spare)), most_(spare_.size) {}

  // Null where there is no memory, or where that would be beyond the limit.
  Block* Allocate(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Block* const block = Find(size);
    if (block == nullptr) {
      refused_ = size;
      return nullptr;
    }
    try {
      if (block->size >= kLarge) large_.insert(block->memory);
      // Room for all that may come back: Free() must not have to allocate.
      spare_.blocks.reserve(spare_.blocks.size() + large_.size());
    } catch (const std::bad_alloc&) {
      large_.erase(block->memory);
      FreeBlock(block);
      return nullptr;
    }
    block->account = this;
    live_ += block->size;
    peak_ = std::max(peak_, live_);
    if (block->size >= kLarge) large_size_ += block->size;
    most_ = std::max(most_, large_size_);
    ++holders_;
    return block;
  }

  void Free(Block* block) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      live_ -= block->size;
      if (block->size >= kLarge) {
        large_.erase(block->memory);
        large_size_ -= block->size;
      }
      if (is_open_ && block->size >= kLarge) {
        spare_.blocks.push_back(block);
        spare_.size += block->size;
        block = nullptr;
      }
    }
    if (block != nullptr) FreeBlock(block);
    LetGo();
  }

  size_t refused() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return refused_;
  }

  size_t peak() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return peak_;
  }

  bool Owns(const void* data) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return large_.count(data) > 0;
  }

  SpareBlocks Close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_open_ = false;
    return std::exchange(spare_, {});
  }

  void LetGo() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--holders_ > 0) return;
    }
    delete this;
  }

 private:
  ~Account() = default;

  Block* Find(size_t size) {
    if (size > limit_ || live_ > limit_ - size) return nullptr;
    Block* block = TakeFitting(size);
    if (block == nullptr) {
      MakeRoom(size);
      block = NewBlock(size);
      if (block != nullptr && block->is_mapped && !MoveSpareTo(block)) block = NewBlock(size);
    }
    return block;
  }

  // The smallest spare block that is not much too large, of those the last that was freed, which
  // the caches may still hold; null where there is none.
  Block* TakeFitting(size_t size) {
    if (size < kLarge) return nullptr;
    auto& blocks = spare_.blocks;
    auto best = blocks.end();
    for (auto block = blocks.begin(); block != blocks.end(); ++block) {
      const bool fits = (*block)->size >= size && (*block)->size - size <= size / kWasted;
      if (fits && (best == blocks.end() || (*block)->size <= (*best)->size)) best = block;
    }
    if (best == blocks.end() || (*best)->size > limit_ - live_) return nullptr;
    return Take(best);
  }

  // Has a fresh block stand on pages of spare ones as far as they go: fresh pages cost more to
  // touch than to write. False where that failed, and the block is gone.
  bool MoveSpareTo(Block* block) {
    Block& fresh = *block;
    size_t done = 0;
    size_t most = 1;
    for (const Block* one : spare_.blocks) most += one->pieces.size();
    try {
      fresh.pieces.reserve(most);  // nothing may throw between two moves
    } catch (const std::bad_alloc&) {
      return true;  // all of it is fresh
    }
    fresh.pieces.clear();
    while (done < fresh.size && spare_.size > 0) {
      Block* const from = spare_.blocks.back();
      const size_t moved = std::min(from->pieces.back(), fresh.size - done);
      const Moved result = MovePages(from->end() - moved, moved, fresh.memory + done);
      if (result == Moved::kNo) FreeBlock(block);
      if (result == Moved::kLost) {
        UnmapPagesBut(fresh.memory, fresh.size, fresh.memory + done, moved);
        delete block;
      }
      if (result != Moved::kYes) return false;
      fresh.pieces.push_back(moved);
      done += moved;
      Shorten(*from, moved);
      if (from->size > 0) continue;
      FreeBlock(from);  // what is in front
      spare_.blocks.pop_back();
    }
    if (done < fresh.size) fresh.pieces.push_back(fresh.size - done);
    return true;
  }

  // Leaves out the last so many bytes of a spare block, which are not its own any more; no more
  // than its last piece.
  void Shorten(Block& spare, size_t by) {
    spare.size -= by;
    spare_.size -= by;
    spare.pieces.back() -= by;
    if (spare.pieces.back() == 0) spare.pieces.pop_back();
  }

  Block* Take(std::vector<Block*>::iterator at) {
    Block* const block = *at;
    spare_.blocks.erase(at);
    spare_.size -= block->size;
    return block;
  }

  // Gives back what the run would else have beyond what it ever needed; the oldest first. What is
  // small goes through malloc, and does not count: for a few bytes no large block is given back.
  void MakeRoom(size_t size) {
    const bool is_large = size >= kLarge;
    const size_t needed = size - std::min(size, PagesFor(size) > 0 ? spare_.size : 0);
    const size_t most = is_large ? std::max(most_, large_size_ + size) : SIZE_MAX;
    while (spare_.size > 0 &&
           (live_ + spare_.size + needed > limit_ || large_size_ + spare_.size + needed > most)) {
      FreeBlock(Take(spare_.blocks.begin()));
    }
  }

  const size_t limit_;
  mutable std::mutex mutex_;
  SpareBlocks spare_;
  std::unordered_set<const void*> large_;  // in use
  size_t live_ = 0;                        // bytes of blocks in use
  size_t peak_ = 0;                        // the most that was
  size_t large_size_ = 0;                  // bytes of the large ones in use
  size_t most_;                            // the most that was, or was there from the beginning
  size_t refused_ = 0;
  size_t holders_ = 1;
  bool is_open_ = true;
};

RunMemory::RunMemory(size_t limit, SpareBlocks spare)
    : account_(new Account(limit, std::move(spare))) {}

RunMemory::~RunMemory() {
  const SpareBlocks spare = account_->Close();
  account_->LetGo();
}

RunMemory::Current::Current(RunMemory& memory) { current_account = memory.account_; }
RunMemory::Current::~Current() { current_account = nullptr; }

size_t RunMemory::peak() const { return account_->peak(); }
size_t RunMemory::refused() const { return account_->refused(); }
bool RunMemory::Owns(const void* data) const { return account_->Owns(data); }
SpareBlocks RunMemory::TakeSpare() { return account_->Close(); }

namespace {

// Null where there is none.
void* AllocateTensor(size_t wanted) noexcept try {
  if (wanted > kTooMuch) return nullptr;
  const size_t size = SizeFor(wanted);
  Block* const block =
      current_account == nullptr ? NewBlock(size) : current_account->Allocate(size);
  if (block == nullptr) return nullptr;
  *reinterpret_cast<Block**>(block->memory - kFront) = block;
  return block->memory;
} catch (const std::bad_alloc&) {
  return nullptr;
}

void ORT_API_CALL FreeTensor(OrtAllocator*, void* tensor) {
  if (tensor == nullptr) return;
  Block* const block = *reinterpret_cast<Block**>(static_cast<char*>(tensor) - kFront);
  if (block->account == nullptr) {
    FreeBlock(block);
  } else {
    block->account->Free(block);
  }
}

}  // namespace

TensorMemory::TensorMemory(const OrtMemoryInfo* memory, OrtAllocator* throwing)
    : OrtAllocator{}, memory_(memory), throwing_(throwing) {
  version = ORT_API_VERSION;
  Alloc = Allocate;
  Reserve = Allocate;
  OrtAllocator::Free = FreeTensor;
  Info = [](const OrtAllocator* self) { return static_cast<const TensorMemory*>(self)->memory_; };
}

// Nothing here may need to be destroyed: ONNX Runtime's exception passes through.
void* ORT_API_CALL TensorMemory::Allocate(OrtAllocator* self, size_t size) {
  void* const tensor = AllocateTensor(size);
  if (tensor != nullptr) return tensor;
  OrtAllocator* const throwing = static_cast<TensorMemory*>(self)->throwing_;
  return throwing->Alloc(throwing, kTooMuch);
}

}  // namespace tlsc
