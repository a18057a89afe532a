#ifndef TLSC_CORE_NATIVE_RUNTIME_H_
#define TLSC_CORE_NATIVE_RUNTIME_H_

#include <onnxruntime_c_api.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "errors.h"
#include "run_memory.h"

namespace tlsc {

// The API version asked for: every ONNX Runtime from 1.21 on serves it.
inline constexpr uint32_t kOrtApiVersion = 21;

// One loaded ONNX Runtime library and its environment. Opened once per path and kept until the
// process ends: sessions, tensors and worker threads of any JavaScript context may still point into
// it, and unloading gains nothing.
class Runtime {
 public:
  // Thread-safe. Throws kRuntimeNotFound when the file cannot be loaded or is older than 1.21.
  static const Runtime& Open(const std::string& path);

  const OrtApi& api() const { return *api_; }
  const OrtEnv& env() const { return *env_; }
  const std::string& version() const { return version_; }
  // Of tensors that no session holds, and of all sessions that have asked for it.
  OrtAllocator& tensor_memory() const { return *tensor_memory_; }

  // Whether a session of it was loaded with an operator library.
  const std::atomic<bool>& knows_operators() const { return knows_operators_; }
  void RememberOperators() const { knows_operators_ = true; }

  // Ends the load of a session with these options early. Any thread; false where the library, older
  // than 1.22, has no such call.
  bool CancelLoad(OrtSessionOptions* options) const noexcept;

  // Names of the execution providers that it was built with; the libraries of some may be missing.
  std::vector<std::string> Providers() const;

  // Frees `status` and throws `code` with its message unless it is null. An allocation that failed
  // inside ONNX Runtime is reported as kOutOfMemory whatever `code` says.
  void Check(OrtStatus* status, ErrorCode code) const;

 private:
  explicit Runtime(const std::string& path);

  using CancelLoadFunction = OrtStatus*(ORT_API_CALL*)(OrtSessionOptions*, bool);

  const OrtApi* api_ = nullptr;
  CancelLoadFunction cancel_load_ = nullptr;
  OrtEnv* env_ = nullptr;
  std::unique_ptr<TensorMemory> tensor_memory_;
  std::string version_;
  mutable std::atomic<bool> knows_operators_ = false;
};

// Owns an object of ONNX Runtime's C API through its release function.
template <typename T>
using OrtOwned = std::unique_ptr<T, void(ORT_API_CALL*)(T*)>;

#ifdef _WIN32
using OrtPath = std::wstring;
#else
using OrtPath = std::string;
#endif

// ONNX Runtime takes UTF-16 paths on Windows, bytes elsewhere; ours come from JavaScript as UTF-8.
OrtPath ToOrtPath(const std::string& utf8);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_RUNTIME_H_
