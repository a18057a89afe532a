#ifndef TLSC_CORE_NATIVE_TAKEN_BYTES_H_
#define TLSC_CORE_NATIVE_TAKEN_BYTES_H_

#include <cstddef>
#include <string>

#include "napi_setup.h"

namespace tlsc {

// What a typed array shows just now.
struct Bytes {
  const void* data;
  size_t size;
};

Bytes BytesOf(const Napi::Value& array);

// Bytes on their way out of JavaScript, which may take the memory of an array buffer away at any
// moment, by transferring it or by making it smaller; Node-API has no way to hold it. They are
// copied a piece at a time, on the JavaScript thread, which all of this belongs to.
class TakenBytes {
 public:
  TakenBytes() = default;  // nothing to copy

  // `to` has room for what `from` shows now. `what` says in messages whose memory it is.
  TakenBytes(std::string what, const Napi::Value& from, void* to);

  // Copies some more, at most `most`, which it lowers by what it has copied; true once that was
  // all. Throws kInvalidArgument when memory has gone meanwhile.
  bool Copy(size_t& most);

  // Lets go of the array.
  void Unpin() { from_.Reset(); }

 private:
  std::string what_;
  Napi::ObjectReference from_;  // empty once there is nothing to copy
  char* to_ = nullptr;
  size_t size_ = 0;
  size_t done_ = 0;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_TAKEN_BYTES_H_
