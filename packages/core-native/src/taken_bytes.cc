#include "taken_bytes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "errors.h"

namespace tlsc {

Bytes BytesOf(const Napi::Value& array) {
  void* data = nullptr;
  if (napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, &data, nullptr, nullptr) !=
      napi_ok) {
    return {nullptr, 0};
  }
  return {data, array.As<Napi::TypedArray>().ByteLength()};
}

TakenBytes::TakenBytes(std::string what, const Napi::Value& from, void* to)
    : what_(std::move(what)),
      from_(Napi::Persistent(from.As<Napi::Object>())),
      to_(static_cast<char*>(to)),
      size_(BytesOf(from).size) {}

bool TakenBytes::Copy(size_t& most) {
  if (from_.IsEmpty()) return true;
  const Bytes bytes = BytesOf(from_.Value());
  if (bytes.size < size_) {
    throw Error(ErrorCode::kInvalidArgument,
                what_ + ": its memory was transferred or made smaller before it had been copied");
  }
  const size_t size = std::min(most, size_ - done_);
  if (size > 0) std::memcpy(to_ + done_, static_cast<const char*>(bytes.data) + done_, size);
  done_ += size;
  most -= size;
  if (done_ < size_) return false;
  from_.Reset();
  return true;
}

}  // namespace tlsc
