#include "describe.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda_driver.h"
#include "library.h"
#include "promise_job.h"
#include "session.h"

namespace tlsc {
namespace {

struct RuntimeDescription {
  std::string version;
  std::vector<std::string> providers;
};

RuntimeDescription ReadRuntime(const std::string& path) {
  const Runtime& runtime = Runtime::Open(path);
  return {runtime.version(), runtime.Providers()};
}

Napi::Value ToJs(Napi::Env env, const RuntimeDescription& runtime) {
  Napi::Array providers = Napi::Array::New(env, runtime.providers.size());
  for (uint32_t i = 0; i < runtime.providers.size(); ++i) providers.Set(i, runtime.providers[i]);
  Napi::Object value = Napi::Object::New(env);
  value.Set("version", runtime.version);
  value.Set("providers", providers);
  return value;
}

struct OperatorsDescription {
  std::string target;
};

OperatorsDescription ReadOperators(const std::string& path) {
  try {
    const auto target = Library(path).Find<const char*()>("TlscTarget");
    if (target != nullptr) return {target()};
  } catch (const LibraryError& error) {
    throw Error(ErrorCode::kOperatorsNotFound,
                "cannot load the operator library " + path + ": " + error.what());
  }
  throw Error(ErrorCode::kOperatorsNotFound, path + " is not an operator library of tlsc");
}

Napi::Value ToJs(Napi::Env env, const OperatorsDescription& operators) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("target", operators.target);
  return value;
}

// Problems are empty where there is none.
struct CudaDescription {
  std::string driver_version;
  std::string driver_problem;
  std::vector<CudaDevice> devices;
  std::string provider_problem;
  std::string cudnn_problem;
};

template <typename Action>
std::string ProblemOf(Action action) {
  try {
    action();
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

// ONNX Runtime's CUDA provider loads it at the first need: by name, or from its own folder.
void LoadCudnn(const std::string& runtime_path) {
#ifdef _WIN32
  constexpr const char* kName = "cudnn64_9.dll";
#else
  constexpr const char* kName = "libcudnn.so.9";
#endif
  try {
    Library library(kName);
  } catch (const LibraryError&) {
    const std::string folder = runtime_path.substr(0, runtime_path.find_last_of("/\\") + 1);
    if (!ProblemOf([&] { Library library(folder + kName); }).empty()) throw;
  }
}

CudaDescription ReadCuda(const std::string& runtime_path) {
  CudaDescription cuda;
  cuda.driver_problem = ProblemOf([&] {
    cuda.driver_version = cuda_driver::Version();
    cuda.devices = cuda_driver::Devices();
  });
  cuda.provider_problem = ProblemOf([&] {
    CheckProvider(Runtime::Open(runtime_path), {"cuda", {}});
  });
  cuda.cudnn_problem = ProblemOf([&] { LoadCudnn(runtime_path); });
  return cuda;
}

Napi::Value ToJs(Napi::Env env, const CudaDescription& cuda) {
  Napi::Array devices = Napi::Array::New(env, cuda.devices.size());
  for (uint32_t i = 0; i < cuda.devices.size(); ++i) {
    const CudaDevice& device = cuda.devices[i];
    Napi::Object value = Napi::Object::New(env);
    value.Set("name", device.name);
    value.Set("memory", static_cast<double>(device.memory));
    value.Set("computeCapability", device.compute_capability);
    devices.Set(i, value);
  }
  Napi::Object value = Napi::Object::New(env);
  value.Set("driverVersion", cuda.driver_version);
  value.Set("driverProblem", cuda.driver_problem);
  value.Set("devices", devices);
  value.Set("providerProblem", cuda.provider_problem);
  value.Set("cudnnProblem", cuda.cudnn_problem);
  return value;
}

// Loads libraries off the JavaScript thread, which may take seconds.
template <typename Description>
class DescribeJob final : public PromiseJob {
 public:
  using Reader = Description(const std::string& path);

  DescribeJob(Napi::Env env, Reader* reader, std::string path)
      : PromiseJob(env), reader_(reader), path_(std::move(path)) {}

 private:
  void Execute() override { description_ = reader_(path_); }
  Napi::Value Result(Napi::Env env) override { return ToJs(env, description_); }

  Reader* reader_;
  std::string path_;
  Description description_;
};

template <typename Description>
Napi::Value Describe(const Napi::CallbackInfo& info, Description (*reader)(const std::string&)) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    return Context::Of(env).Start(
        std::make_shared<DescribeJob<Description>>(env, reader, info[0].ToString()));
  });
}

}  // namespace

Napi::Value DescribeRuntime(const Napi::CallbackInfo& info) { return Describe(info, ReadRuntime); }

Napi::Value DescribeOperators(const Napi::CallbackInfo& info) {
  return Describe(info, ReadOperators);
}

Napi::Value DescribeCuda(const Napi::CallbackInfo& info) { return Describe(info, ReadCuda); }

}  // namespace tlsc
