#include "session.h"

#include <onnxruntime_session_options_config_keys.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <string_view>

#include "cuda_driver.h"

namespace tlsc {
namespace {

OrtOwned<OrtSessionOptions> NewOptions(const Runtime& runtime) {
  OrtSessionOptions* options = nullptr;
  runtime.Check(runtime.api().CreateSessionOptions(&options), ErrorCode::kInvalidArgument);
  return {options, runtime.api().ReleaseSessionOptions};
}

void AppendProvider(const Runtime& runtime, OrtSessionOptions* options, const Provider& provider) {
  if (provider.name == "cpu") return;  // ONNX Runtime appends it to every session by itself.
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : provider.options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  const OrtApi& api = runtime.api();
  try {
    if (provider.name != "cuda") {
      runtime.Check(api.SessionOptionsAppendExecutionProvider(
                        options, provider.name.c_str(), keys.data(), values.data(), keys.size()),
                    ErrorCode::kProviderUnavailable);
      return;
    }
    OrtCUDAProviderOptionsV2* cuda = nullptr;
    runtime.Check(api.CreateCUDAProviderOptions(&cuda), ErrorCode::kProviderUnavailable);
    const OrtOwned<OrtCUDAProviderOptionsV2> owned(cuda, api.ReleaseCUDAProviderOptions);
    runtime.Check(api.UpdateCUDAProviderOptions(cuda, keys.data(), values.data(), keys.size()),
                  ErrorCode::kProviderUnavailable);
    runtime.Check(api.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda),
                  ErrorCode::kProviderUnavailable);
  } catch (const Error& error) {
    throw Error(error.code(), "execution provider " + provider.name + ": " + error.what(),
                provider.name);
  }
}

void RegisterOperators(const Runtime& runtime, const std::string& path,
                       OrtSessionOptions& options) {
  runtime.Check(runtime.api().RegisterCustomOpsLibrary_V2(&options, ToOrtPath(path).c_str()),
                ErrorCode::kOperatorsNotFound);
}

// Where all that a run allocates is ordinary memory, and allocated on the thread that it is called
// on.
bool HasOwnMemory(const SessionOptions& options) {
  return options.execution_mode == ORT_SEQUENTIAL &&
         std::all_of(options.providers.begin(), options.providers.end(),
                     [](const Provider& provider) { return provider.name == "cpu"; });
}

OrtOwned<OrtSessionOptions> ToOrt(const Runtime& runtime, const SessionOptions& options,
                                  const std::optional<std::string>& data_folder) {
  const OrtApi& api = runtime.api();
  OrtOwned<OrtSessionOptions> made = NewOptions(runtime);
  const auto set = [&](OrtStatus* status) { runtime.Check(status, ErrorCode::kInvalidArgument); };
  set(api.SetIntraOpNumThreads(made.get(), options.intra_op_num_threads));
  set(api.SetInterOpNumThreads(made.get(), options.inter_op_num_threads));
  set(api.SetSessionExecutionMode(made.get(), options.execution_mode));
  set(api.SetSessionGraphOptimizationLevel(made.get(), options.optimization_level));
  set(api.SetSessionLogId(made.get(), options.log_id.c_str()));
  // What was looked at as ONNX must not be read as ONNX Runtime's own format.
  set(api.AddSessionConfigEntry(made.get(), kOrtSessionOptionsConfigLoadModelFormat, "ONNX"));
  // Where there is none, a path that nothing lies under: without one it is the working folder.
  set(api.AddSessionConfigEntry(made.get(),
                                kOrtSessionOptionsModelExternalInitializersFileFolderPath,
                                data_folder ? data_folder->c_str() : "/dev/null/none"));
  if (HasOwnMemory(options)) {
    set(api.AddSessionConfigEntry(made.get(), kOrtSessionOptionsConfigUseEnvAllocators, "1"));
    // A pattern is one block for all tensors of a run, which is larger than what they need at once.
    set(api.DisableMemPattern(made.get()));
  }
  if (!options.profile_file_prefix.empty()) {
    set(api.EnableProfiling(made.get(), ToOrtPath(options.profile_file_prefix).c_str()));
  }
  if (!options.operators_path.empty()) RegisterOperators(runtime, options.operators_path, *made);
  for (const Provider& provider : options.providers) AppendProvider(runtime, made.get(), provider);
  return made;
}

// ONNX Runtime names an operator it has neither a kernel nor a function body for in this form:
// "Fatal error: tlsc:LocalAveragePool(-1) is not a registered function/op".
bool LacksOperators(std::string_view message) {
  return message.find("tlsc:") != std::string_view::npos &&
         message.find("is not a registered function/op") != std::string_view::npos;
}

std::optional<int> CardOf(const std::vector<Provider>& providers) {
  for (const Provider& provider : providers) {
    if (provider.name != "cuda") continue;
    const auto id = provider.options.find("device_id");
    return id == provider.options.end() ? 0 : std::stoi(id->second);
  }
  return std::nullopt;
}

// The form in which ONNX Runtime's CUDA provider reports calls of CUDA's that fail:
// "CUDA failure 35: CUDA driver version is insufficient … ; GPU=0 ; hostname=…".
bool IsCudaFailure(std::string_view message) {
  return message.find(" failure ") != std::string_view::npos &&
         message.find(" ; GPU=") != std::string_view::npos;
}

// An ONNX file: opset 17, one Identity from x to y, both float32.
constexpr unsigned char kSmallestModel[] = {
    0x08, 0x08, 0x42, 0x02, 0x10, 0x11, 0x3A, 0x2B, 0x0A, 0x10, 0x0A, 0x01, 'x',
    0x12, 0x01, 'y',  0x22, 0x08, 'I',  'd',  'e',  'n',  't',  'i',  't',  'y',
    0x12, 0x01, 'g',  0x5A, 0x09, 0x0A, 0x01, 'x',  0x12, 0x04, 0x0A, 0x02, 0x08,
    0x01, 0x62, 0x09, 0x0A, 0x01, 'y',  0x12, 0x04, 0x0A, 0x02, 0x08, 0x01};

// ONNX Runtime looks whether a custom domain is known and then adds it, in two steps: of two first
// sessions that load at once one would fail with "the domain is already exist". So the first is of
// a model of our own, which takes no time.
void MakeDomainKnown(const Runtime& runtime, const std::string& operators_path) {
  static std::mutex& mutex = *new std::mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  if (runtime.knows_operators()) return;
  const OrtOwned<OrtSessionOptions> options = NewOptions(runtime);
  RegisterOperators(runtime, operators_path, *options);
  OrtSession* session = nullptr;
  runtime.Check(
      runtime.api().CreateSessionFromArray(&runtime.env(), kSmallestModel, sizeof(kSmallestModel),
                                           options.get(), &session),
      ErrorCode::kOperatorsNotFound);
  runtime.api().ReleaseSession(session);
  runtime.RememberOperators();
}

// ONNX Runtime warns of every input that has a value in the model, at every load. That of converted
// models which says where a piece of a photo lies (rewrite/places.ts) is meant to be one. The other
// warnings of such a load are lost with it; whoever wants them asks for severity 1 or 0.
int LoadSeverity(const SessionOptions& options, std::string_view model) {
  constexpr int kWarning = 2;
  const bool is_expected =
      options.log_severity_level == kWarning && model.find("tlsc_place") != std::string_view::npos;
  return is_expected ? kWarning + 1 : options.log_severity_level;
}

OrtOwned<OrtSession> Load(const Runtime& runtime, const SessionOptions& options, ModelSource source,
                          LoadCancellation& cancellation) {
  const OrtApi& api = runtime.api();
  const CheckedModel model =
      LoadChecked(std::move(source), options.external_data_folder, cancellation.cancelled());
  const OrtOwned<OrtSessionOptions> ort_options = ToOrt(runtime, options, model.data_folder);
  if (!options.operators_path.empty()) MakeDomainKnown(runtime, options.operators_path);
  const std::string_view bytes = model.bytes.view();
  runtime.Check(api.SetSessionLogSeverityLevel(ort_options.get(), LoadSeverity(options, bytes)),
                ErrorCode::kInvalidArgument);
  OrtSession* session = nullptr;
  cancellation.Watch(runtime, ort_options.get());
  OrtStatus* status = api.CreateSessionFromArray(&runtime.env(), bytes.data(), bytes.size(),
                                                 ort_options.get(), &session);
  cancellation.Watch(runtime, nullptr);
  try {
    runtime.Check(status, ErrorCode::kInvalidModel);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInvalidModel && CardOf(options.providers) &&
        IsCudaFailure(error.what())) {
      throw Error(ErrorCode::kProviderUnavailable,
                  std::string("execution provider cuda: ") + error.what(), "cuda");
    }
    if (!LacksOperators(error.what())) throw;
    throw Error(ErrorCode::kOperatorsNotFound,
                std::string("the model needs tlsc's operator library: ") + error.what());
  }
  return {session, api.ReleaseSession};
}

// A string that ONNX Runtime allocated for the caller.
std::string Take(const Runtime& runtime, OrtAllocator* allocator, char* text) {
  std::string copy = text == nullptr ? "" : text;
  if (text != nullptr)
    runtime.Check(runtime.api().AllocatorFree(allocator, text), ErrorCode::kInvalidModel);
  return copy;
}

ValueInfo Describe(const Runtime& runtime, std::string name, const OrtTypeInfo& type_info) {
  const OrtApi& api = runtime.api();
  ValueInfo info{std::move(name), false, ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, {}};
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  runtime.Check(api.CastTypeInfoToTensorInfo(&type_info, &tensor), ErrorCode::kInvalidModel);
  if (tensor == nullptr) return info;
  info.is_tensor = true;
  runtime.Check(api.GetTensorElementType(tensor, &info.type), ErrorCode::kInvalidModel);
  size_t rank = 0;
  runtime.Check(api.GetDimensionsCount(tensor, &rank), ErrorCode::kInvalidModel);
  std::vector<int64_t> sizes(rank);
  std::vector<const char*> names(rank);
  runtime.Check(api.GetDimensions(tensor, sizes.data(), rank), ErrorCode::kInvalidModel);
  runtime.Check(api.GetSymbolicDimensions(tensor, names.data(), rank), ErrorCode::kInvalidModel);
  for (size_t axis = 0; axis < rank; ++axis) {
    if (sizes[axis] >= 0) {
      info.shape.emplace_back(sizes[axis]);
    } else {
      info.shape.emplace_back(std::string(names[axis]));
    }
  }
  return info;
}

using GetCount = decltype(OrtApi::SessionGetInputCount);
using GetName = decltype(OrtApi::SessionGetInputName);
using GetType = decltype(OrtApi::SessionGetInputTypeInfo);

std::vector<ValueInfo> DescribeAll(const Runtime& runtime, const OrtSession* session,
                                   OrtAllocator* allocator, GetCount get_count, GetName get_name,
                                   GetType get_type) {
  size_t count = 0;
  runtime.Check(get_count(session, &count), ErrorCode::kInvalidModel);
  std::vector<ValueInfo> infos;
  for (size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    runtime.Check(get_name(session, i, allocator, &name), ErrorCode::kInvalidModel);
    std::string owned_name = Take(runtime, allocator, name);
    OrtTypeInfo* type = nullptr;
    runtime.Check(get_type(session, i, &type), ErrorCode::kInvalidModel);
    const OrtOwned<OrtTypeInfo> owned_type(type, runtime.api().ReleaseTypeInfo);
    infos.push_back(Describe(runtime, std::move(owned_name), *type));
  }
  return infos;
}

std::map<std::string, std::string> ReadMetadata(const Runtime& runtime, const OrtSession* session,
                                                OrtAllocator* allocator) {
  const OrtApi& api = runtime.api();
  OrtModelMetadata* metadata = nullptr;
  runtime.Check(api.SessionGetModelMetadata(session, &metadata), ErrorCode::kInvalidModel);
  const OrtOwned<OrtModelMetadata> owned(metadata, api.ReleaseModelMetadata);
  char** keys = nullptr;
  int64_t count = 0;
  runtime.Check(api.ModelMetadataGetCustomMetadataMapKeys(metadata, allocator, &keys, &count),
                ErrorCode::kInvalidModel);
  std::map<std::string, std::string> map;
  for (int64_t i = 0; i < count; ++i) {
    char* value = nullptr;
    runtime.Check(api.ModelMetadataLookupCustomMetadataMap(metadata, allocator, keys[i], &value),
                  ErrorCode::kInvalidModel);
    std::string owned_value = Take(runtime, allocator, value);
    map.emplace(Take(runtime, allocator, keys[i]), std::move(owned_value));
  }
  if (keys != nullptr) runtime.Check(api.AllocatorFree(allocator, keys), ErrorCode::kInvalidModel);
  return map;
}

OrtOwned<OrtMemoryInfo> MemoryInfo(const Runtime& runtime, const char* name, int device,
                                   OrtMemType type) {
  OrtMemoryInfo* info = nullptr;
  runtime.Check(runtime.api().CreateMemoryInfo(name, OrtDeviceAllocator, device, type, &info),
                ErrorCode::kRunFailed);
  return {info, runtime.api().ReleaseMemoryInfo};
}

OrtOwned<OrtMemoryInfo> OrdinaryMemory(const Runtime& runtime) {
  return MemoryInfo(runtime, "Cpu", 0, OrtMemTypeDefault);
}

// Null where the session has no allocator for such memory.
OrtOwned<OrtAllocator> AllocatorOf(const Runtime& runtime, const OrtSession* session,
                                   const OrtMemoryInfo* memory) {
  OrtAllocator* allocator = nullptr;
  OrtStatus* status = runtime.api().CreateAllocator(session, memory, &allocator);
  if (status != nullptr) runtime.api().ReleaseStatus(status);
  return {allocator, runtime.api().ReleaseAllocator};
}

OrtOwned<OrtMemoryInfo> DeviceMemory(const Runtime& runtime, std::optional<int> card) {
  return card ? MemoryInfo(runtime, "Cuda", *card, OrtMemTypeDefault) : OrdinaryMemory(runtime);
}

// Releases of ONNX Runtime number the pinned memory of a card as the card, or as the processor, 0.
// Where there is none it is ordinary memory, which is but slower.
OrtOwned<OrtMemoryInfo> PinnedMemory(const Runtime& runtime, const OrtSession* session,
                                     std::optional<int> card) {
  if (card) {
    for (const int number : {*card, 0}) {
      auto memory = MemoryInfo(runtime, "CudaPinned", number, OrtMemTypeCPUOutput);
      if (AllocatorOf(runtime, session, memory.get()) != nullptr) return memory;
    }
  }
  return OrdinaryMemory(runtime);
}

std::vector<const char*> Pointers(const std::vector<std::string>& names) {
  std::vector<const char*> pointers;
  for (const std::string& name : names) pointers.push_back(name.c_str());
  return pointers;
}

}  // namespace

void CheckProvider(const Runtime& runtime, const Provider& provider) {
  AppendProvider(runtime, NewOptions(runtime).get(), provider);
}

void LoadCancellation::Cancel() noexcept {
  cancelled_ = true;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (options_ != nullptr) runtime_->CancelLoad(options_);
}

void LoadCancellation::Watch(const Runtime& runtime, OrtSessionOptions* options) {
  const std::lock_guard<std::mutex> lock(mutex_);
  runtime_ = &runtime;
  options_ = options;
  if (options_ != nullptr && cancelled_) runtime_->CancelLoad(options_);
}

Session::Session(const SessionOptions& options, ModelSource model, LoadCancellation& cancellation)
    : runtime_(Runtime::Open(options.runtime_path)),
      card_(CardOf(options.providers)),
      has_own_memory_(HasOwnMemory(options)),
      run_log_severity_level_(options.run_log_severity_level),
      session_(Load(runtime_, options, std::move(model), cancellation)),
      cpu_memory_(OrdinaryMemory(runtime_)),
      pinned_memory_(PinnedMemory(runtime_, session_.get(), card_)),
      device_memory_(DeviceMemory(runtime_, card_)),
      pinned_allocator_(AllocatorOf(runtime_, session_.get(), pinned_memory_.get())) {
  const OrtApi& api = runtime_.api();
  OrtAllocator* allocator = nullptr;
  runtime_.Check(api.GetAllocatorWithDefaultOptions(&allocator), ErrorCode::kInvalidModel);
  inputs_ = DescribeAll(runtime_, session_.get(), allocator, api.SessionGetInputCount,
                        api.SessionGetInputName, api.SessionGetInputTypeInfo);
  optional_inputs_ = DescribeAll(
      runtime_, session_.get(), allocator, api.SessionGetOverridableInitializerCount,
      api.SessionGetOverridableInitializerName, api.SessionGetOverridableInitializerTypeInfo);
  outputs_ = DescribeAll(runtime_, session_.get(), allocator, api.SessionGetOutputCount,
                         api.SessionGetOutputName, api.SessionGetOutputTypeInfo);
  metadata_ = ReadMetadata(runtime_, session_.get(), allocator);
}

// A run's memory stays for a run of the same size, and only if that comes twice in a row: one large
// image must not cost its memory for good, and the next of many that are alike should not have to
// allocate it anew.
bool Session::IsLikeTheLast(const std::vector<const OrtValue*>& inputs) const {
  const OrtApi& api = runtime_.api();
  size_t size = 0;
  for (const OrtValue* input : inputs) {
    OrtTensorTypeAndShapeInfo* info = nullptr;
    runtime_.Check(api.GetTensorTypeAndShape(input, &info), ErrorCode::kRunFailed);
    const OrtOwned<OrtTensorTypeAndShapeInfo> owned(info, api.ReleaseTensorTypeAndShapeInfo);
    size_t count = 0;
    runtime_.Check(api.GetTensorShapeElementCount(info, &count), ErrorCode::kRunFailed);
    size += count;
  }
  return last_input_size_.exchange(size) == size;
}

SpareBlocks Session::TakeSpare() const {
  const std::lock_guard<std::mutex> lock(spare_mutex_);
  return std::move(spare_);
}

// Of runs that overlap the last one's stays.
void Session::KeepSpare(SpareBlocks spare) const {
  const std::lock_guard<std::mutex> lock(spare_mutex_);
  spare_ = std::move(spare);
}

RunResult Session::Run(OrtRunOptions& run_options, const std::vector<std::string>& input_names,
                       const std::vector<const OrtValue*>& inputs,
                       const std::vector<OutputRequest>& outputs, size_t limit) const {
  const OrtApi& api = runtime_.api();
  runtime_.Check(api.RunOptionsSetRunLogSeverityLevel(&run_options, run_log_severity_level_),
                 ErrorCode::kRunFailed);
  const bool is_alike = IsLikeTheLast(inputs);
  SpareBlocks spare = TakeSpare();
  if (!is_alike) spare = SpareBlocks();  // it would only lie about
  RunMemory memory(limit, std::move(spare));
  const bool is_plain = std::all_of(outputs.begin(), outputs.end(), [](const auto& output) {
    return output.location == Location::kCpu;
  });
  std::vector<OrtTensor> made;
  try {
    const RunMemory::Current current(memory);
    made = is_plain ? RunPlain(run_options, input_names, inputs, outputs)
                    : RunBound(run_options, input_names, inputs, outputs);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory || memory.refused() == 0) throw;
    // As an arena of ONNX Runtime's says it.
    throw Error(error.code(), std::string(error.what()) + ": requested buffer of size " +
                                  std::to_string(memory.refused()));
  }
  RunResult result;
  for (OrtTensor& tensor : made) {
    void* data = nullptr;
    if (has_own_memory_) {
      runtime_.Check(api.GetTensorMutableData(tensor.get(), &data), ErrorCode::kRunFailed);
    }
    const bool is_own = data != nullptr && memory.Owns(data);
    result.outputs.push_back({std::move(tensor), is_own});
  }
  result.peak = has_own_memory_ ? memory.peak() : 0;
  if (is_alike) KeepSpare(memory.TakeSpare());
  return result;
}

std::vector<OrtTensor> Session::RunPlain(const OrtRunOptions& run_options,
                                         const std::vector<std::string>& input_names,
                                         const std::vector<const OrtValue*>& inputs,
                                         const std::vector<OutputRequest>& outputs) const {
  const OrtApi& api = runtime_.api();
  std::vector<const char*> output_names;
  for (const auto& [name, location] : outputs) output_names.push_back(name.c_str());
  std::vector<OrtValue*> values(outputs.size(), nullptr);
  OrtStatus* status =
      api.Run(session_.get(), &run_options, Pointers(input_names).data(), inputs.data(),
              inputs.size(), output_names.data(), output_names.size(), values.data());
  std::vector<OrtTensor> made;
  for (OrtValue* value : values) made.emplace_back(value, api.ReleaseValue);
  runtime_.Check(status, ErrorCode::kRunFailed);
  return made;
}

std::vector<OrtTensor> Session::RunBound(const OrtRunOptions& run_options,
                                         const std::vector<std::string>& input_names,
                                         const std::vector<const OrtValue*>& inputs,
                                         const std::vector<OutputRequest>& outputs) const {
  const OrtApi& api = runtime_.api();
  const auto check = [&](OrtStatus* status) { runtime_.Check(status, ErrorCode::kRunFailed); };
  std::set<std::string_view> names;
  for (const auto& [name, location] : outputs) {
    // A binding holds a name once.
    if (!names.insert(name).second) {
      throw Error(ErrorCode::kRunFailed, "output " + name + " is asked for twice");
    }
  }
  OrtIoBinding* binding = nullptr;
  check(api.CreateIoBinding(session_.get(), &binding));
  const OrtOwned<OrtIoBinding> owned(binding, api.ReleaseIoBinding);
  for (size_t i = 0; i < inputs.size(); ++i) {
    check(api.BindInput(binding, input_names[i].c_str(), inputs[i]));
  }
  for (const auto& [name, location] : outputs) {
    const OrtOwned<OrtMemoryInfo>& memory = location == Location::kDevice   ? device_memory_
                                            : location == Location::kPinned ? pinned_memory_
                                                                            : cpu_memory_;
    check(api.BindOutputToDevice(binding, name.c_str(), memory.get()));
  }
  check(api.RunWithBinding(session_.get(), &run_options, binding));
  // Whoever reads them next may not wait for the session's stream.
  check(api.SynchronizeBoundOutputs(binding));
  OrtAllocator* allocator = nullptr;
  check(api.GetAllocatorWithDefaultOptions(&allocator));
  OrtValue** values = nullptr;
  size_t count = 0;
  check(api.GetBoundOutputValues(binding, allocator, &values, &count));
  std::vector<OrtTensor> made;
  for (size_t i = 0; i < count; ++i) made.emplace_back(values[i], api.ReleaseValue);
  if (values != nullptr) check(api.AllocatorFree(allocator, values));
  return made;
}

OrtTensor Session::AllocatePinned(ONNXTensorElementDataType type,
                                  const std::vector<int64_t>& dims) const {
  // The card that it is pinned for is the one that is current.
  std::optional<cuda_driver::CurrentDevice> current;
  if (card_) current.emplace(*card_);
  OrtValue* value = nullptr;
  runtime_.Check(runtime_.api().CreateTensorAsOrtValue(pinned_allocator_.get(), dims.data(),
                                                       dims.size(), type, &value),
                 ErrorCode::kOutOfMemory);
  return {value, runtime_.api().ReleaseValue};
}

std::string Session::EndProfiling() const {
  OrtAllocator* allocator = nullptr;
  runtime_.Check(runtime_.api().GetAllocatorWithDefaultOptions(&allocator),
                 ErrorCode::kInvalidArgument);
  char* path = nullptr;
  runtime_.Check(runtime_.api().SessionEndProfiling(session_.get(), allocator, &path),
                 ErrorCode::kInvalidArgument);
  return Take(runtime_, allocator, path);
}

}  // namespace tlsc
