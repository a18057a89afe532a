#include "shown_memory.h"

#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "errors.h"

namespace tlsc {
namespace {

// What array buffers show of ours. A job that reads such a buffer asks here for the owner and keeps
// it: Node.js frees the buffers of a worker that is terminated before it tells us.
class ShownMemory {
 public:
  static ShownMemory& Get() {
    static ShownMemory& shown = *new ShownMemory;  // outlives every JavaScript context
    return shown;
  }

  void Add(const void* data, size_t size, std::shared_ptr<const void> owner) {
    const std::lock_guard<std::mutex> lock(mutex_);
    shown_.insert({static_cast<const char*>(data), {size, std::move(owner)}});
  }

  void Remove(const void* data, const void* owner) {
    std::shared_ptr<const void> last;  // freed without the lock
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto [begin, end] = shown_.equal_range(static_cast<const char*>(data));
    for (auto shown = begin; shown != end; ++shown) {
      if (shown->second.owner.get() != owner) continue;
      last = std::move(shown->second.owner);
      shown_.erase(shown);
      return;
    }
  }

  // Null where no buffer shows this memory.
  std::shared_ptr<const void> Find(const void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto after = shown_.upper_bound(static_cast<const char*>(data));
    if (after == shown_.begin()) return nullptr;
    const auto& [begin, shown] = *std::prev(after);
    return static_cast<const char*>(data) < begin + shown.size ? shown.owner : nullptr;
  }

 private:
  struct Shown {
    size_t size;
    std::shared_ptr<const void> owner;
  };

  std::mutex mutex_;
  // Several at one place: outputs that are one constant of a model.
  std::multimap<const char*, Shown> shown_;
};

// JavaScript is done with the memory.
void Forget(napi_env, void* data, void* owner) { ShownMemory::Get().Remove(data, owner); }

}  // namespace

napi_value ArrayBufferOver(Napi::Env env, std::shared_ptr<const void> owner, void* data,
                           size_t size) {
  // V8 wants no foreign memory for an empty buffer.
  if (size == 0) return Napi::ArrayBuffer::New(env, 0);
  ShownMemory::Get().Add(data, size, owner);
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, data, size, Forget, const_cast<void*>(owner.get()), &buffer);
  if (status == napi_ok) return buffer;
  ShownMemory::Get().Remove(data, owner.get());
  if (status != napi_no_external_buffers_allowed) {
    throw Error(ErrorCode::kOutOfMemory, "cannot make an output array");
  }
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, size);
  std::memcpy(copy.Data(), data, size);
  return copy;
}

std::shared_ptr<const void> OwnerOf(const void* data) { return ShownMemory::Get().Find(data); }

}  // namespace tlsc
