#ifndef TLSC_BASE_STATUS_H_
#define TLSC_BASE_STATUS_H_

#include <string>

namespace tlsc {

enum class StatusCode {
  kOk,
  kInvalidArgument,  // the caller can mend it; the message names the parameter
  kOutOfMemory,      // nothing was computed
  kInternal,         // what we run on failed, e.g. the caller's thread pool
};

// The outcome of a call that can fail. Kernels return it and throw nothing.
struct [[nodiscard]] Status {
  StatusCode code = StatusCode::kOk;
  std::string message;

  bool ok() const { return code == StatusCode::kOk; }
};

// The one form of every complaint about an argument, so that callers can rely on finding all three.
inline Status InvalidArgument(const std::string& parameter, const std::string& expected,
                              const std::string& received) {
  return {StatusCode::kInvalidArgument,
          parameter + ": expected " + expected + ", received " + received};
}

}  // namespace tlsc

#endif  // TLSC_BASE_STATUS_H_
