#include "runtime.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>
#include <system_error>

#include "division_guard.h"
#include "executor.h"
#include "library.h"

#ifdef _WIN32
#include <windows.h>
#endif

namespace tlsc {
namespace {

// SessionOptionsSetLoadCancellationFlag came with version 22 and is that version's ninth function.
// The headers that this is built with may be of version 21; the functions of a version stay in
// their places in all later ones.
constexpr uint32_t kCancelLoadVersion = 22;
constexpr size_t kFunctionsOf21 = 285;
constexpr size_t kCancelLoadOffset = (kFunctionsOf21 + 8) * sizeof(void*);
static_assert(ORT_API_VERSION != 21 || sizeof(OrtApi) == kFunctionsOf21 * sizeof(void*));

using GetApiBase = const OrtApiBase* ORT_API_CALL();

// ONNX Runtime's C++ library need not be ours: prebuilt addons carry one of their own.
void CatchTerminate(const Library& runtime) {
  auto* const its_own = runtime.Find<Executor::SetTerminate>("_ZSt13set_terminatePFvvE");
  if (its_own != nullptr) Executor::CatchTerminate(its_own);
  Executor::CatchTerminate(std::set_terminate);
}

GetApiBase* LoadApiBase(const std::string& path) {
  try {
    const Library library(path);
    auto* const get_api_base = library.Find<GetApiBase>("OrtGetApiBase");
    if (get_api_base != nullptr) CatchTerminate(library);
    return get_api_base;
  } catch (const LibraryError& error) {
    throw Error(ErrorCode::kRuntimeNotFound,
                "cannot load ONNX Runtime from " + path + ": " + error.what());
  }
}

// ONNX Runtime has no error code for it; these are its own words, the standard library's and those
// of our operators.
bool IsOutOfMemory(std::string_view message) {
  for (const std::string_view words :
       {"Failed to allocate memory", "bad_alloc", "out of memory", "no memory for"}) {
    if (message.find(words) != std::string_view::npos) return true;
  }
  return false;
}

// Packaged builds of ONNX Runtime report usage to their maker and keep a device id in the home
// folder, unless this variable is set when they start. What the user has set stays.
void DisableTelemetry() {
  constexpr const char* kVariable = "ORT_DISABLE_TELEMETRY";
#ifdef _WIN32
  if (std::getenv(kVariable) == nullptr) _putenv_s(kVariable, "1");
#else
  setenv(kVariable, "1", /*overwrite=*/0);
#endif
}

}  // namespace

#ifdef _WIN32
OrtPath ToOrtPath(const std::string& utf8) {
  const int size = static_cast<int>(utf8.size());
  OrtPath wide(MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, nullptr, 0), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, wide.data(), static_cast<int>(wide.size()));
  return wide;
}
#else
OrtPath ToOrtPath(const std::string& utf8) { return utf8; }
#endif

const Runtime& Runtime::Open(const std::string& name) {
  // A library has one environment, by whichever of its names it is opened.
  std::error_code none;
  const std::filesystem::path file =
      std::filesystem::canonical(std::filesystem::u8path(name), none);
  const std::string path = none ? name : file.u8string();
  static std::mutex mutex;
  static auto& opened = *new std::map<std::string, const Runtime*>;
  const std::lock_guard<std::mutex> lock(mutex);
  const Runtime*& runtime = opened[path];
  if (runtime == nullptr) {
    DisableTelemetry();
    runtime = new Runtime(path);
    // Registered after the library was loaded, so it runs before the library's own static
    // destructors do: no thread may be inside ONNX Runtime by then.
    std::atexit([] { Executor::Get().Shutdown(); });
  }
  return *runtime;
}

Runtime::Runtime(const std::string& path) {
  GetApiBase* const get_api_base = LoadApiBase(path);
  if (get_api_base == nullptr) {
    throw Error(ErrorCode::kRuntimeNotFound, path + " is not an ONNX Runtime library");
  }
  GuardDivisions(reinterpret_cast<const void*>(get_api_base));
  version_ = get_api_base()->GetVersionString();
  api_ = get_api_base()->GetApi(kOrtApiVersion);
  if (api_ == nullptr) {
    throw Error(ErrorCode::kRuntimeNotFound,
                "ONNX Runtime 1.21 or newer is needed; " + path + " is version " + version_);
  }
  if (const OrtApi* newer = get_api_base()->GetApi(kCancelLoadVersion)) {
    const auto* functions = reinterpret_cast<const char*>(newer);
    std::memcpy(&cancel_load_, functions + kCancelLoadOffset, sizeof(cancel_load_));
  }
  Check(api_->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "tlsc", &env_), ErrorCode::kRuntimeNotFound);
  OrtMemoryInfo* memory = nullptr;
  Check(api_->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory),
        ErrorCode::kRuntimeNotFound);
  OrtAllocator* allocator = nullptr;
  Check(api_->GetAllocatorWithDefaultOptions(&allocator), ErrorCode::kRuntimeNotFound);
  tensor_memory_ = std::make_unique<TensorMemory>(memory, allocator);  // none is ever freed
  Check(api_->RegisterAllocator(env_, tensor_memory_.get()), ErrorCode::kRuntimeNotFound);
}

bool Runtime::CancelLoad(OrtSessionOptions* options) const noexcept {
  if (cancel_load_ == nullptr) return false;
  OrtStatus* status = cancel_load_(options, true);
  if (status != nullptr) api_->ReleaseStatus(status);  // It sets a flag; it has no way to fail.
  return true;
}

std::vector<std::string> Runtime::Providers() const {
  char** names = nullptr;
  int count = 0;
  Check(api_->GetAvailableProviders(&names, &count), ErrorCode::kRuntimeNotFound);
  std::vector<std::string> providers(names, names + count);
  Check(api_->ReleaseAvailableProviders(names, count), ErrorCode::kRuntimeNotFound);
  return providers;
}

void Runtime::Check(OrtStatus* status, ErrorCode code) const {
  if (status == nullptr) return;
  const std::string message = api_->GetErrorMessage(status);
  api_->ReleaseStatus(status);
  throw Error(IsOutOfMemory(message) ? ErrorCode::kOutOfMemory : code, message);
}

}  // namespace tlsc
