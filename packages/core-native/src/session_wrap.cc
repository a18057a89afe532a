#include "session_wrap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "promise_job.h"
#include "run_job.h"
#include "taken_bytes.h"
#include "tensor.h"

namespace tlsc {
namespace {

// Says that an External really holds a session, so that foreign externals are refused.
constexpr napi_type_tag kSessionTag = {0x8f1c6a0b5a2e4d37, 0x9b64c1f07de2a815};

Napi::Array ToJs(Napi::Env env, const std::vector<ValueInfo>& infos) {
  Napi::Array list = Napi::Array::New(env, infos.size());
  for (uint32_t i = 0; i < infos.size(); ++i) {
    const ValueInfo& info = infos[i];
    Napi::Array shape = Napi::Array::New(env, info.shape.size());
    for (uint32_t axis = 0; axis < info.shape.size(); ++axis) {
      const Dimension& dimension = info.shape[axis];
      if (const int64_t* size = std::get_if<int64_t>(&dimension)) {
        shape.Set(axis, static_cast<double>(*size));
      } else {
        shape.Set(axis, std::get<std::string>(dimension));
      }
    }
    Napi::Object value = Napi::Object::New(env);
    value.Set("name", info.name);
    value.Set("isTensor", info.is_tensor);
    value.Set("type", std::string(TypeName(info.type)));
    value.Set("shape", shape);
    list.Set(i, value);
  }
  return list;
}

Napi::Object ToJs(Napi::Env env, const std::map<std::string, std::string>& map) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [key, value] : map) object.Set(key, value);
  return object;
}

std::vector<std::string> ReadStrings(const Napi::Array& array) {
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); ++i) strings.push_back(array.Get(i).ToString());
  return strings;
}

SessionOptions ReadOptions(const Napi::Object& from) {
  const auto text = [&](const char* key) { return from.Get(key).ToString().Utf8Value(); };
  const auto number = [&](const char* key) { return from.Get(key).ToNumber().Int32Value(); };
  SessionOptions options;
  options.runtime_path = text("runtimePath");
  options.operators_path = text("operatorsPath");
  options.intra_op_num_threads = number("intraOpNumThreads");
  options.inter_op_num_threads = number("interOpNumThreads");
  options.execution_mode = static_cast<ExecutionMode>(number("executionMode"));
  options.optimization_level =
      static_cast<GraphOptimizationLevel>(number("graphOptimizationLevel"));
  options.profile_file_prefix = text("profileFilePrefix");
  options.log_id = text("logId");
  options.log_severity_level = number("logSeverityLevel");
  options.run_log_severity_level = number("runLogSeverityLevel");
  options.external_data_folder = text("externalDataFolder");
  const auto providers = from.Get("providers").As<Napi::Array>();
  for (uint32_t i = 0; i < providers.Length(); ++i) {
    const auto given = providers.Get(i).As<Napi::Object>();
    Provider provider{given.Get("name").ToString(), {}};
    const auto settings = given.Get("options").As<Napi::Object>();
    for (const std::string& key : ReadStrings(settings.GetPropertyNames())) {
      provider.options.emplace(key, settings.Get(key).ToString());
    }
    options.providers.push_back(std::move(provider));
  }
  return options;
}

// All that JavaScript can count.
constexpr double kMostBytes = 9007199254740992.0;

// A model on its way out of JavaScript: its bytes are copied, since the caller may hand its buffer
// on to another thread meanwhile, memory and all.
class ModelCopy {
 public:
  explicit ModelCopy(const Napi::Object& options) {
    const Napi::Value model = options.Get("model");
    if (model.IsString()) {
      source_ = model.ToString().Utf8Value();
    } else {
      source_ = ModelBytes(model.As<Napi::Uint8Array>().ByteLength());
      taken_ = TakenBytes("the model", model, std::get<ModelBytes>(source_).data());
    }
  }

  // Some more of it; whether that was all.
  bool Copy(size_t most) { return taken_.Copy(most); }

  ModelSource Take() { return std::move(source_); }
  void Unpin() { taken_.Unpin(); }

 private:
  ModelSource source_;
  TakenBytes taken_;
};

class CreateJob final : public PromiseJob {
 public:
  CreateJob(Napi::Env env, const Napi::Object& options)
      : PromiseJob(env), options_(ReadOptions(options)), model_(options) {}

 private:
  bool Prepare(Napi::Env) override { return model_.Copy(kCopiedPerTurn); }

  void Execute() override {
    session_ = std::make_shared<const Session>(options_, model_.Take(), cancellation_);
  }

  Napi::Value Result(Napi::Env env) override { return SessionWrap::Wrap(env, std::move(session_)); }

  void Interrupt() noexcept override { cancellation_.Cancel(); }

  void Unpin() override { model_.Unpin(); }

  SessionOptions options_;
  ModelCopy model_;
  LoadCancellation cancellation_;
  std::shared_ptr<const Session> session_;
};

// Says whether a model may be handed to ONNX Runtime, and to whoever else reads it.
class CheckJob final : public PromiseJob {
 public:
  CheckJob(Napi::Env env, const Napi::Object& options)
      : PromiseJob(env),
        model_(options),
        data_folder_(options.Get("externalDataFolder").ToString()) {}

 private:
  bool Prepare(Napi::Env) override { return model_.Copy(kCopiedPerTurn); }

  void Execute() override { LoadChecked(model_.Take(), data_folder_, cancelled_); }

  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }

  void Interrupt() noexcept override { cancelled_ = true; }

  void Unpin() override { model_.Unpin(); }

  ModelCopy model_;
  std::string data_folder_;
  std::atomic<bool> cancelled_ = false;
};

// Aborts the job; does nothing once it has ended.
Napi::Function CancelFunction(Napi::Env env, const std::shared_ptr<PromiseJob>& job) {
  const std::weak_ptr<PromiseJob> weak = job;
  return Napi::Function::New(env, [weak](const Napi::CallbackInfo& call) {
    if (const auto running = weak.lock()) Context::Of(call.Env()).Abort(*running);
  });
}

class DownloadJob final : public PromiseJob {
 public:
  DownloadJob(Napi::Env env, std::shared_ptr<const HeldTensor> tensor)
      : PromiseJob(env), tensor_(std::move(tensor)) {}

 private:
  void Execute() override {
    copy_.emplace(CopyOf(*tensor_->runtime, *tensor_->value, *tensor_->runtime));
  }

  Napi::Value Result(Napi::Env env) override {
    return tlsc::ToJs(env, HeldTensor{tensor_->runtime, nullptr, std::move(*copy_)});
  }

  std::shared_ptr<const HeldTensor> tensor_;
  std::optional<OrtTensor> copy_;
};

class AllocateJob final : public PromiseJob {
 public:
  AllocateJob(Napi::Env env, std::shared_ptr<const Session> session, const std::string& type,
              const Napi::Array& dims)
      : PromiseJob(env),
        session_(std::move(session)),
        type_(TypeOf(type)),
        dims_(ReadDims("of allocate()", dims)) {}

 private:
  void Execute() override {
    const Runtime& runtime = session_->runtime();
    if (session_->card()) {
      tensor_ = HeldTensor{&runtime, session_, session_->AllocatePinned(type_, dims_)};
    } else {
      tensor_ = HeldTensor{&runtime, nullptr, NewTensor(runtime, type_, dims_)};
    }
    session_.reset();
  }

  Napi::Value Result(Napi::Env env) override { return tlsc::ToJs(env, std::move(*tensor_)); }

  std::shared_ptr<const Session> session_;
  ONNXTensorElementDataType type_;
  std::vector<int64_t> dims_;
  std::optional<HeldTensor> tensor_;
};

}  // namespace

Napi::Function SessionWrap::Define(Napi::Env env) {
  return DefineClass(
      env, "NativeSession",
      {InstanceMethod<&SessionWrap::Run>("run"), InstanceMethod<&SessionWrap::Allocate>("allocate"),
       InstanceMethod<&SessionWrap::EndProfiling>("endProfiling"),
       InstanceMethod<&SessionWrap::Trim>("trim"),
       InstanceMethod<&SessionWrap::Release>("release")});
}

Napi::Object SessionWrap::Wrap(Napi::Env env, std::shared_ptr<const Session> session) {
  auto external = Napi::External<std::shared_ptr<const Session>>::New(env, &session);
  external.TypeTag(&kSessionTag);
  return Context::Of(env).session_class.New({external});
}

SessionWrap::SessionWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionWrap>(info) {
  const Napi::Env env = info.Env();
  using External = Napi::External<std::shared_ptr<const Session>>;
  if (!info[0].IsExternal() || !info[0].As<External>().CheckTypeTag(&kSessionTag)) {
    throw Napi::TypeError::New(env, "sessions are made by createSession");
  }
  hold_ = std::make_shared<SessionHold>(std::move(*info[0].As<External>().Data()));
  const Session& session = *hold_->Get();
  Napi::Object self = info.This().As<Napi::Object>();
  self.Set("inputs", ToJs(env, session.inputs()));
  self.Set("optionalInputs", ToJs(env, session.optional_inputs()));
  self.Set("outputs", ToJs(env, session.outputs()));
  self.Set("metadata", ToJs(env, session.metadata()));
  self.Set("runtimeVersion", session.runtime().version());
}

Napi::Value SessionWrap::Run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    const double limit = info[2].ToNumber();
    const auto job =
        std::make_shared<RunJob>(env, hold_, info[0].As<Napi::Array>(), info[1].As<Napi::Array>(),
                                 limit < kMostBytes ? static_cast<size_t>(limit) : SIZE_MAX);
    Napi::Object run = Napi::Object::New(env);
    run.Set("outputs", Context::Of(env).Start(job));
    hold_->RunBegan();
    run.Set("cancel", CancelFunction(env, job));
    run.Set("peak", Napi::Function::New(env, [peak = job->peak()](const Napi::CallbackInfo& call) {
              return Napi::Number::New(call.Env(), static_cast<double>(*peak));
            }));
    return run;
  });
}

Napi::Value SessionWrap::Allocate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    return Context::Of(env).Start(std::make_shared<AllocateJob>(
        env, hold_->Get(), info[0].ToString(), info[1].As<Napi::Array>()));
  });
}

Napi::Value SessionWrap::EndProfiling(const Napi::CallbackInfo& info) {
  return WithJsErrors(info.Env(), [&]() -> Napi::Value {
    return Napi::String::New(info.Env(), hold_->Get()->EndProfiling());
  });
}

void SessionWrap::Trim(const Napi::CallbackInfo& info) {
  WithJsErrors(info.Env(), [&] { hold_->Get()->Trim(); });
}

Napi::Value SessionWrap::Release(const Napi::CallbackInfo& info) {
  return WithJsErrors(info.Env(), [&]() -> Napi::Value {
    if (released_.IsEmpty()) {
      released_ = Napi::Persistent(hold_->Release(info.Env()).As<Napi::Object>());
    }
    return released_.Value();
  });
}

Napi::Value CreateSession(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    const auto job = std::make_shared<CreateJob>(env, info[0].As<Napi::Object>());
    Napi::Object load = Napi::Object::New(env);
    load.Set("session", Context::Of(env).Start(job));
    load.Set("cancel", CancelFunction(env, job));
    return load;
  });
}

Napi::Value CheckModel(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    return Context::Of(env).Start(std::make_shared<CheckJob>(env, info[0].As<Napi::Object>()));
  });
}

Napi::Value Download(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    return Context::Of(env).Start(
        std::make_shared<DownloadJob>(env, FromHandle("of download()", info[0])));
  });
}

void Dispose(const Napi::CallbackInfo& info) { DisposeHandle(info[0]); }

}  // namespace tlsc
