#include "cuda_driver.h"

#include "errors.h"
#include "library.h"

namespace tlsc::cuda_driver {
namespace {

#ifdef _WIN32
#define TLSC_CUDA_CALL __stdcall
constexpr const char* kLibrary = "nvcuda.dll";
#else
#define TLSC_CUDA_CALL
constexpr const char* kLibrary = "libcuda.so.1";
#endif

// As cuda.h has them.
using Result = int;
using DeviceHandle = int;
using ContextHandle = struct Context*;
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;

// The driver's functions, found by the names that its library exports them under.
class Api {
 public:
  // Loaded at the first call that succeeds; the driver may be installed meanwhile.
  static const Api& Get() {
    static const Api& api = *new Api;
    return api;
  }

  template <typename... Parameters, typename... Arguments>
  void Call(const char* name, Arguments... arguments) const {
    using Function = Result TLSC_CUDA_CALL(Parameters...);
    const auto function = library_.Find<Function>(name);
    if (function == nullptr) Fail(std::string(kLibrary) + " has no " + name);
    const Result result = function(arguments...);
    if (result == 0) return;
    const char* text = nullptr;
    using ErrorText = Result TLSC_CUDA_CALL(Result, const char**);
    const auto error_text = library_.Find<ErrorText>("cuGetErrorString");
    if (error_text != nullptr) error_text(result, &text);
    Fail(std::string(name) + ": " + (text == nullptr ? "CUDA error" : text) + " (" +
         std::to_string(result) + ")");
  }

 private:
  Api() : library_(Load()) { Call<unsigned>("cuInit", 0u); }

  static Library Load() {
    try {
      return Library(kLibrary);
    } catch (const LibraryError& error) {
      Fail(error.what());
    }
  }

  [[noreturn]] static void Fail(const std::string& why) {
    throw Error(ErrorCode::kProviderUnavailable, why);
  }

  Library library_;
};

}  // namespace

std::string Version() {
  int version = 0;
  Api::Get().Call<int*>("cuDriverGetVersion", &version);
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::vector<CudaDevice> Devices() {
  const Api& api = Api::Get();
  int count = 0;
  api.Call<int*>("cuDeviceGetCount", &count);
  std::vector<CudaDevice> devices;
  for (int index = 0; index < count; ++index) {
    DeviceHandle device = 0;
    api.Call<DeviceHandle*, int>("cuDeviceGet", &device, index);
    char name[256] = {};
    api.Call<char*, int, DeviceHandle>("cuDeviceGetName", name, int{sizeof(name)}, device);
    size_t memory = 0;
    api.Call<size_t*, DeviceHandle>("cuDeviceTotalMem_v2", &memory, device);
    int major = 0;
    int minor = 0;
    using Attribute = int;
    api.Call<int*, Attribute, DeviceHandle>("cuDeviceGetAttribute", &major, kComputeCapabilityMajor,
                                            device);
    api.Call<int*, Attribute, DeviceHandle>("cuDeviceGetAttribute", &minor, kComputeCapabilityMinor,
                                            device);
    devices.push_back({name, memory, std::to_string(major) + "." + std::to_string(minor)});
  }
  return devices;
}

CurrentDevice::CurrentDevice(int device) {
  const Api& api = Api::Get();
  api.Call<DeviceHandle*, int>("cuDeviceGet", &handle_, device);
  ContextHandle context = nullptr;
  api.Call<ContextHandle*, DeviceHandle>("cuDevicePrimaryCtxRetain", &context, handle_);
  try {
    api.Call<ContextHandle>("cuCtxPushCurrent_v2", context);
  } catch (...) {
    Release();
    throw;
  }
}

CurrentDevice::~CurrentDevice() {
  try {
    ContextHandle context = nullptr;
    Api::Get().Call<ContextHandle*>("cuCtxPopCurrent_v2", &context);
  } catch (const Error&) {
    // What it was pushed for has failed louder.
  }
  Release();
}

void CurrentDevice::Release() {
  try {
    Api::Get().Call<DeviceHandle>("cuDevicePrimaryCtxRelease_v2", handle_);
  } catch (const Error&) {
    // The context stays with ONNX Runtime, which has it anyway.
  }
}

void CopyToHost(int device, const void* from, void* to, size_t bytes) {
  const Api& api = Api::Get();
  const CurrentDevice current(device);
  using DevicePointer = unsigned long long;
  api.Call<void*, DevicePointer, size_t>("cuMemcpyDtoH_v2", to,
                                         reinterpret_cast<DevicePointer>(from), bytes);
}

}  // namespace tlsc::cuda_driver
