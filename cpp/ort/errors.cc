#include "ort/errors.h"

#include <cstdio>

namespace tlsc::ort {
namespace {

OrtErrorCode ToOrt(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return ORT_OK;
    case StatusCode::kInvalidArgument:
      return ORT_INVALID_ARGUMENT;
    case StatusCode::kOutOfMemory:  // ONNX Runtime has no code of its own for it
    case StatusCode::kInternal:
      return ORT_RUNTIME_EXCEPTION;
  }
  return ORT_FAIL;
}

}  // namespace

Status TakeStatus(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) return {};
  const StatusCode code = api.GetErrorCode(status) == ORT_INVALID_ARGUMENT
                              ? StatusCode::kInvalidArgument
                              : StatusCode::kInternal;
  Status taken = {code, api.GetErrorMessage(status)};
  api.ReleaseStatus(status);
  return taken;
}

void ThrowIfError(const Status& status) {
  if (!status.ok()) throw StatusError(status);
}

void ThrowIfError(const OrtApi& api, OrtStatus* status) { ThrowIfError(TakeStatus(api, status)); }

OrtStatus* MakeOrtStatus(const OrtApi& api, const char* op, StatusCode code,
                         const char* message) noexcept {
  // A fixed buffer, because what is being reported may be a lack of memory.
  char text[1024];
  std::snprintf(text, sizeof(text), "%s: %s", op, message);
  return api.CreateStatus(ToOrt(code), text);
}

}  // namespace tlsc::ort
