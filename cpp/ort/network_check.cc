// Runs a network in a real ONNX Runtime on the CPU and on the first card of the machine, with the
// operator library for cards and with the function bodies inside the model, and says how far the
// outputs lie apart. Prints tab-separated values.
//
// Usage: network_check ONNXRUNTIME TLSC_OPS TLSC_OPS_CUDA MODEL HEIGHT WIDTH
//
// The model takes one image, float32, batch and channels first. Exits with 1 where something fails.

#include <dlfcn.h>
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int kRounds = 10;

template <typename T>
using Owned = std::unique_ptr<T, void(ORT_API_CALL*)(T*)>;

const OrtApi* api = nullptr;

void Check(OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = api->GetErrorMessage(status);
  api->ReleaseStatus(status);
  throw std::runtime_error(message);
}

void LoadRuntime(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  using GetApiBase = const OrtApiBase*();
  auto* get_api_base = reinterpret_cast<GetApiBase*>(dlsym(library, "OrtGetApiBase"));
  if (get_api_base == nullptr) throw std::runtime_error(dlerror());
  api = get_api_base()->GetApi(21);
  if (api == nullptr) throw std::runtime_error("ONNX Runtime must be 1.21 or later");
}

struct Size {
  int64_t height;
  int64_t width;
};

struct Outcome {
  std::vector<std::vector<float>> outputs;
  double milliseconds;  // the median of several runs, copies to and from the card included
};

// In [0, 1), its brightness drifting, so that local and global statistics differ.
std::vector<float> Image(size_t elements) {
  std::vector<float> image(elements);
  uint32_t state = 1;
  for (size_t i = 0; i < elements; ++i) {
    state = state * 1664525u + 1013904223u;
    const double noise = (state >> 8) / 16777216.0;
    image[i] =
        static_cast<float>(noise * static_cast<double>(i + 1) / static_cast<double>(elements));
  }
  return image;
}

class Network {
 public:
  // `operators` may be null; then the function bodies run.
  Network(const OrtEnv* env, const char* model, const char* operators, bool on_card)
      : session_(nullptr, api->ReleaseSession) {
    OrtSessionOptions* options = nullptr;
    Check(api->CreateSessionOptions(&options));
    const Owned<OrtSessionOptions> owner(options, api->ReleaseSessionOptions);
    if (operators != nullptr) Check(api->RegisterCustomOpsLibrary_V2(options, operators));
    if (on_card) AppendCuda(options);
    OrtSession* session = nullptr;
    Check(api->CreateSession(env, model, options, &session));
    session_.reset(session);
  }

  Outcome Run(Size size) const {
    const std::vector<std::string> inputs =
        Names(&OrtApi::SessionGetInputCount, &OrtApi::SessionGetInputName);
    const std::vector<std::string> outputs =
        Names(&OrtApi::SessionGetOutputCount, &OrtApi::SessionGetOutputName);
    if (inputs.size() != 1) throw std::runtime_error("the model must take one image");
    const std::vector<int64_t> dims = {1, Channels(), size.height, size.width};
    std::vector<float> image =
        Image(static_cast<size_t>(dims[1]) * static_cast<size_t>(dims[2] * dims[3]));
    OrtMemoryInfo* memory = nullptr;
    Check(api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory));
    const Owned<OrtMemoryInfo> memory_owner(memory, api->ReleaseMemoryInfo);
    OrtValue* x = nullptr;
    Check(api->CreateTensorWithDataAsOrtValue(memory, image.data(), image.size() * sizeof(float),
                                              dims.data(), dims.size(),
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &x));
    const Owned<OrtValue> x_owner(x, api->ReleaseValue);
    Outcome outcome = {};
    std::vector<double> times;
    for (int round = 0; round <= kRounds; ++round) {
      const auto start = std::chrono::steady_clock::now();
      outcome.outputs = RunOnce(inputs.front(), x, outputs);
      const std::chrono::duration<double, std::milli> time =
          std::chrono::steady_clock::now() - start;
      if (round > 0) times.push_back(time.count());  // The first chooses algorithms.
    }
    std::sort(times.begin(), times.end());
    outcome.milliseconds = times[times.size() / 2];
    return outcome;
  }

 private:
  static void AppendCuda(OrtSessionOptions* options) {
    OrtCUDAProviderOptionsV2* cuda = nullptr;
    Check(api->CreateCUDAProviderOptions(&cuda));
    const Owned<OrtCUDAProviderOptionsV2> owner(cuda, api->ReleaseCUDAProviderOptions);
    // Full float32, since it is compared with the CPU's.
    const char* const keys[] = {"use_tf32", "cudnn_conv_algo_search"};
    const char* const values[] = {"0", "HEURISTIC"};
    Check(api->UpdateCUDAProviderOptions(cuda, keys, values, 2));
    Check(api->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda));
  }

  template <typename Count, typename Name>
  std::vector<std::string> Names(Count count_of, Name name_of) const {
    OrtAllocator* allocator = nullptr;
    Check(api->GetAllocatorWithDefaultOptions(&allocator));
    size_t count = 0;
    Check((api->*count_of)(session_.get(), &count));
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) {
      char* name = nullptr;
      Check((api->*name_of)(session_.get(), i, allocator, &name));
      names.emplace_back(name);
      Check(api->AllocatorFree(allocator, name));
    }
    return names;
  }

  // That the model says, or 3.
  int64_t Channels() const {
    OrtTypeInfo* type = nullptr;
    Check(api->SessionGetInputTypeInfo(session_.get(), 0, &type));
    const Owned<OrtTypeInfo> owner(type, api->ReleaseTypeInfo);
    const OrtTensorTypeAndShapeInfo* info = nullptr;
    Check(api->CastTypeInfoToTensorInfo(type, &info));
    size_t rank = 0;
    if (info != nullptr) Check(api->GetDimensionsCount(info, &rank));
    if (rank != 4) throw std::runtime_error("the model must take one image");
    int64_t dims[4] = {};
    Check(api->GetDimensions(info, dims, rank));
    return dims[1] > 0 ? dims[1] : 3;
  }

  std::vector<std::vector<float>> RunOnce(const std::string& input, const OrtValue* x,
                                          const std::vector<std::string>& outputs) const {
    const char* input_name = input.c_str();
    std::vector<const char*> names;
    for (const std::string& name : outputs) names.push_back(name.c_str());
    std::vector<OrtValue*> values(names.size(), nullptr);
    Check(api->Run(session_.get(), nullptr, &input_name, &x, 1, names.data(), names.size(),
                   values.data()));
    std::vector<Owned<OrtValue>> owners;
    for (OrtValue* value : values) owners.emplace_back(value, api->ReleaseValue);
    std::vector<std::vector<float>> results;
    for (OrtValue* value : values) results.push_back(Values(value));
    return results;
  }

  static std::vector<float> Values(OrtValue* value) {
    OrtTensorTypeAndShapeInfo* info = nullptr;
    Check(api->GetTensorTypeAndShape(value, &info));
    const Owned<OrtTensorTypeAndShapeInfo> owner(info, api->ReleaseTensorTypeAndShapeInfo);
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    Check(api->GetTensorElementType(info, &type));
    if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
      throw std::runtime_error("the outputs must be float32");
    }
    size_t count = 0;
    Check(api->GetTensorShapeElementCount(info, &count));
    void* data = nullptr;
    Check(api->GetTensorMutableData(value, &data));
    const auto* floats = static_cast<const float*>(data);
    return {floats, floats + count};
  }

  Owned<OrtSession> session_;
};

// The largest distance of two values; NaN where one is none, or the shapes differ.
double Distance(const Outcome& a, const Outcome& b) {
  double largest = 0;
  for (size_t i = 0; i < a.outputs.size(); ++i) {
    if (a.outputs[i].size() != b.outputs[i].size()) return NAN;
    for (size_t k = 0; k < a.outputs[i].size(); ++k) {
      const double distance =
          std::abs(static_cast<double>(a.outputs[i][k]) - static_cast<double>(b.outputs[i][k]));
      if (!(distance <= largest)) largest = distance;
      if (std::isnan(largest)) return largest;
    }
  }
  return largest;
}

void Compare(char** arguments) {
  LoadRuntime(arguments[1]);
  const char* const model = arguments[4];
  const Size size = {std::atoll(arguments[5]), std::atoll(arguments[6])};
  if (size.height < 1 || size.width < 1) throw std::runtime_error("the size must be positive");
  OrtEnv* env = nullptr;
  Check(api->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "network_check", &env));
  const Owned<OrtEnv> env_owner(env, api->ReleaseEnv);
  const Outcome cpu = Network(env, model, arguments[2], false).Run(size);
  std::printf("runs\tms\tdistance\n");
  std::printf("CPU, kernels\t%.2f\t0\n", cpu.milliseconds);
  const Outcome kernels = Network(env, model, arguments[3], true).Run(size);
  std::printf("CUDA, kernels\t%.2f\t%.3g\n", kernels.milliseconds, Distance(cpu, kernels));
  const Outcome bodies = Network(env, model, nullptr, true).Run(size);
  std::printf("CUDA, bodies\t%.2f\t%.3g\n", bodies.milliseconds, Distance(cpu, bodies));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 7) {
    std::fprintf(stderr,
                 "Usage: network_check ONNXRUNTIME TLSC_OPS TLSC_OPS_CUDA MODEL HEIGHT WIDTH\n");
    return 2;
  }
  try {
    Compare(arguments);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "network_check: %s\n", error.what());
    return 1;
  }
}
