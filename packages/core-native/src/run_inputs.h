#ifndef TLSC_CORE_NATIVE_RUN_INPUTS_H_
#define TLSC_CORE_NATIVE_RUN_INPUTS_H_

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "napi_setup.h"
#include "session.h"
#include "taken_bytes.h"
#include "tensor.h"

namespace tlsc {

// The tensors that a run reads. JavaScript may take the memory of an array buffer away at any
// moment, by transferring it or by making it smaller, and Node-API has no way to hold it: such
// inputs are copied. Read in place is what cannot go: SharedArrayBuffers, and memory that this
// addon made (outputs of earlier runs, allocate()).
class RunInputs {
 public:
  // JavaScript thread only. Throws kInvalidArgument, kOutOfMemory.
  RunInputs(const Runtime& runtime, const Napi::Array& inputs);

  // Copies at most `most` bytes of what is still to be copied; true once that is all. JavaScript
  // thread only. Throws kInvalidArgument when memory has gone since the constructor saw it.
  bool Copy(size_t most);

  // Copies device tensors that `session` cannot read. Any thread, like what follows but Unpin().
  void BringWithinReach(const Session& session);

  const std::vector<std::string>& names() const { return names_; }
  const std::vector<const OrtValue*>& values() const { return values_; }

  // Frees all that JavaScript has no part in.
  void Free();

  // Lets go of JavaScript values. JavaScript thread only.
  void Unpin();

 private:
  const Runtime& runtime_;
  std::vector<std::string> names_;
  std::vector<const OrtValue*> values_;  // each one of the next two's
  std::vector<OrtTensor> tensors_;       // over memory that cannot go, or copies
  std::vector<std::pair<size_t, std::shared_ptr<const HeldTensor>>> handles_;  // by input
  std::vector<std::shared_ptr<const void>> owners_;  // of memory of ours that is read in place
  std::deque<TakenBytes> copying_;
  Napi::ObjectReference in_place_;  // a list of the arrays that are
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_RUN_INPUTS_H_
