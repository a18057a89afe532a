#ifndef TLSC_CORE_NATIVE_SESSION_H_
#define TLSC_CORE_NATIVE_SESSION_H_

#include <onnxruntime_c_api.h>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model_file.h"
#include "run_memory.h"
#include "runtime.h"

namespace tlsc {

struct Provider {
  std::string name;
  std::map<std::string, std::string> options;
};

// Complete: JavaScript has validated it and filled in the defaults (lib/binding.ts).
struct SessionOptions {
  std::string runtime_path;
  std::string operators_path;  // empty: no operator library, function bodies run instead
  int intra_op_num_threads = 0;
  int inter_op_num_threads = 0;
  ExecutionMode execution_mode = ORT_SEQUENTIAL;
  GraphOptimizationLevel optimization_level = ORT_ENABLE_ALL;
  std::vector<Provider> providers;
  std::string profile_file_prefix;  // empty: no profile
  std::string log_id;
  int log_severity_level = 2;
  int run_log_severity_level = 4;
  std::string external_data_folder;  // of a model given as bytes; empty: it has no external data
};

// A dimension is a size or a name; an unknown size without a name is the empty name.
using Dimension = std::variant<int64_t, std::string>;

struct ValueInfo {
  std::string name;
  bool is_tensor;
  ONNXTensorElementDataType type;
  std::vector<Dimension> shape;
};

using OrtTensor = OrtOwned<OrtValue>;

// Where a tensor is to lie: in ordinary memory; in memory that is pinned, which cards copy from and
// to fastest; or with the session's device. For a session without a device all are ordinary memory.
enum class Location { kCpu, kPinned, kDevice };

struct OutputRequest {
  std::string name;
  Location location;
};

struct RunOutput {
  OrtTensor tensor;
  bool is_own;  // it has its memory to itself, and needs no session
};

struct RunResult {
  std::vector<RunOutput> outputs;
  // The most bytes of ordinary memory that the run took at once, its inputs left out. 0 where ONNX
  // Runtime has an allocator of its own.
  size_t peak = 0;
};

// Throws kProviderUnavailable where no session can have the provider, its library being the matter.
// Whether there is a device for it shows when a session is made.
void CheckProvider(const Runtime& runtime, const Provider& provider);

// Ends a load early, from another thread than the one that loads.
class LoadCancellation {
 public:
  void Cancel() noexcept;
  const std::atomic<bool>& cancelled() const { return cancelled_; }

  // ONNX Runtime loads with these options until the next call; null: it does not.
  void Watch(const Runtime& runtime, OrtSessionOptions* options);

 private:
  std::atomic<bool> cancelled_ = false;
  std::mutex mutex_;
  const Runtime* runtime_ = nullptr;
  OrtSessionOptions* options_ = nullptr;
};

// An ONNX Runtime session with tlsc's operators registered. Immutable once made, so runs may
// overlap on any threads.
class Session {
 public:
  // Throws kRuntimeNotFound, kOperatorsNotFound, kProviderUnavailable, kModelNotFound,
  // kInvalidModel, kOutOfMemory, and what LoadChecked() does.
  Session(const SessionOptions& options, ModelSource model, LoadCancellation& cancellation);

  const Runtime& runtime() const { return runtime_; }
  const std::vector<ValueInfo>& inputs() const { return inputs_; }
  // Inputs that have a value unless another is given.
  const std::vector<ValueInfo>& optional_inputs() const { return optional_inputs_; }
  const std::vector<ValueInfo>& outputs() const { return outputs_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // The card that it runs on; none where it runs on no card of NVIDIA's.
  std::optional<int> card() const { return card_; }

  // Inputs are of this runtime, in ordinary memory or on the session's card. `limit`: the most
  // bytes of ordinary memory that the run may take, its inputs left out; of no use with a card, or
  // where operators run side by side.
  // Throws kRunFailed or kOutOfMemory; `run_options` may be told to terminate meanwhile. Tensors
  // with the device must not outlive the session.
  RunResult Run(OrtRunOptions& run_options, const std::vector<std::string>& input_names,
                const std::vector<const OrtValue*>& inputs,
                const std::vector<OutputRequest>& outputs, size_t limit) const;

  // A tensor in pinned memory, its values whatever they are. It must not outlive the session.
  // Throws kOutOfMemory.
  OrtTensor AllocatePinned(ONNXTensorElementDataType type, const std::vector<int64_t>& dims) const;

  // Frees what is kept for another run of the same size.
  void Trim() const { KeepSpare({}); }

  // Ends profiling and returns the file's path.
  std::string EndProfiling() const;

 private:
  std::vector<OrtTensor> RunPlain(const OrtRunOptions& run_options,
                                  const std::vector<std::string>& input_names,
                                  const std::vector<const OrtValue*>& inputs,
                                  const std::vector<OutputRequest>& outputs) const;
  std::vector<OrtTensor> RunBound(const OrtRunOptions& run_options,
                                  const std::vector<std::string>& input_names,
                                  const std::vector<const OrtValue*>& inputs,
                                  const std::vector<OutputRequest>& outputs) const;

  bool IsLikeTheLast(const std::vector<const OrtValue*>& inputs) const;
  SpareBlocks TakeSpare() const;
  void KeepSpare(SpareBlocks spare) const;

  const Runtime& runtime_;
  std::optional<int> card_;
  bool has_own_memory_;  // TensorMemory, and not an arena of ONNX Runtime's
  int run_log_severity_level_;
  mutable std::atomic<size_t> last_input_size_ = 0;
  mutable std::mutex spare_mutex_;
  mutable SpareBlocks spare_;
  OrtOwned<OrtSession> session_;
  OrtOwned<OrtMemoryInfo> cpu_memory_;
  OrtOwned<OrtMemoryInfo> pinned_memory_;
  OrtOwned<OrtMemoryInfo> device_memory_;
  OrtOwned<OrtAllocator> pinned_allocator_;
  std::vector<ValueInfo> inputs_;
  std::vector<ValueInfo> optional_inputs_;
  std::vector<ValueInfo> outputs_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_SESSION_H_
