#ifndef TLSC_CORE_NATIVE_ERRORS_H_
#define TLSC_CORE_NATIVE_ERRORS_H_

#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace tlsc {

// The codes JavaScript sees; lib/errors.ts lists the same ones and a test compares the two.
enum class ErrorCode {
  kInvalidArgument,
  kRuntimeNotFound,
  kOperatorsNotFound,
  kModelNotFound,
  kInvalidModel,
  kUnsupportedModel,
  kProviderUnavailable,
  kSessionReleased,
  kRunFailed,
  kOutOfMemory,
  kAborted,
};

inline constexpr std::array<std::pair<ErrorCode, std::string_view>, 11> kErrorCodes = {{
    {ErrorCode::kInvalidArgument, "ERR_INVALID_ARGUMENT"},
    {ErrorCode::kRuntimeNotFound, "ERR_RUNTIME_NOT_FOUND"},
    {ErrorCode::kOperatorsNotFound, "ERR_OPERATORS_NOT_FOUND"},
    {ErrorCode::kModelNotFound, "ERR_MODEL_NOT_FOUND"},
    {ErrorCode::kInvalidModel, "ERR_INVALID_MODEL"},
    {ErrorCode::kUnsupportedModel, "ERR_UNSUPPORTED_MODEL"},
    {ErrorCode::kProviderUnavailable, "ERR_PROVIDER_UNAVAILABLE"},
    {ErrorCode::kSessionReleased, "ERR_SESSION_RELEASED"},
    {ErrorCode::kRunFailed, "ERR_RUN_FAILED"},
    {ErrorCode::kOutOfMemory, "ERR_OUT_OF_MEMORY"},
    {ErrorCode::kAborted, "ERR_ABORTED"},
}};

std::string_view NameOf(ErrorCode code);

// Thrown inside the addon only; promise_job.cc and session_wrap.cc turn it into a JavaScript error
// with `code`, and `culprit`: the option or execution provider at fault, where it is one.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string culprit = {})
      : code_(code), message_(std::move(message)), culprit_(std::move(culprit)) {}

  ErrorCode code() const { return code_; }
  const std::string& culprit() const { return culprit_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::string culprit_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_ERRORS_H_
