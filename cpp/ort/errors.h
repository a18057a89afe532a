#ifndef TLSC_ORT_ERRORS_H_
#define TLSC_ORT_ERRORS_H_

#include <onnxruntime_c_api.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "base/status.h"

// Errors inside the adapters. They are exceptions here, and only here: kernels below return Status,
// ONNX Runtime above gets OrtStatus*, and Guard() is the one place where one becomes the other.
namespace tlsc::ort {

class StatusError : public std::exception {
 public:
  explicit StatusError(Status status) : status_(std::move(status)) {}
  const Status& status() const { return status_; }
  const char* what() const noexcept override { return status_.message.c_str(); }

 private:
  Status status_;
};

// Takes what an OrtApi function returned: frees it and keeps its meaning.
Status TakeStatus(const OrtApi& api, OrtStatus* status);

void ThrowIfError(const Status& status);
void ThrowIfError(const OrtApi& api, OrtStatus* status);

// An OrtStatus "<op>: <message>". Never null and never throws.
OrtStatus* MakeOrtStatus(const OrtApi& api, const char* op, StatusCode code,
                         const char* message) noexcept;

// Runs body at the C boundary: null if it returns, an OrtStatus if it throws.
template <typename Body>
OrtStatus* Guard(const OrtApi& api, const char* op, Body body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const StatusError& error) {
    return MakeOrtStatus(api, op, error.status().code, error.what());
  } catch (const std::bad_alloc&) {
    return MakeOrtStatus(api, op, StatusCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    return MakeOrtStatus(api, op, StatusCode::kInternal, error.what());
  } catch (...) {
    return MakeOrtStatus(api, op, StatusCode::kInternal, "unknown exception");
  }
}

}  // namespace tlsc::ort

#endif  // TLSC_ORT_ERRORS_H_
