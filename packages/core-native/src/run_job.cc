#include "run_job.h"

#include <string>
#include <utility>

namespace tlsc {
namespace {

OutputRequest ReadRequest(const Napi::Object& from) {
  const std::string location = from.Get("location").ToString();
  return {from.Get("name").ToString(), location == "device"   ? Location::kDevice
                                       : location == "pinned" ? Location::kPinned
                                                              : Location::kCpu};
}

OrtOwned<OrtRunOptions> NewRunOptions(const Runtime& runtime) {
  OrtRunOptions* options = nullptr;
  runtime.Check(runtime.api().CreateRunOptions(&options), ErrorCode::kRunFailed);
  return {options, runtime.api().ReleaseRunOptions};
}

}  // namespace

RunJob::RunJob(Napi::Env env, std::shared_ptr<SessionHold> hold, const Napi::Array& inputs,
               const Napi::Array& outputs, size_t limit)
    : PromiseJob(env),
      hold_(std::move(hold)),
      session_(hold_->Get()),
      runtime_(session_->runtime()),
      run_options_(NewRunOptions(runtime_)),
      limit_(limit),
      inputs_(runtime_, inputs) {
  for (uint32_t i = 0; i < outputs.Length(); ++i) {
    requests_.push_back(ReadRequest(outputs.Get(i).As<Napi::Object>()));
  }
}

bool RunJob::Prepare(Napi::Env) { return inputs_.Copy(kCopiedPerTurn); }

void RunJob::Execute() {
  inputs_.BringWithinReach(*session_);
  RunResult result =
      session_->Run(*run_options_, inputs_.names(), inputs_.values(), requests_, limit_);
  *peak_ = result.peak;
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    outputs_.push_back(Keep(std::move(result.outputs[i]), requests_[i].location));
  }
  inputs_.Free();
}

// An output as it is handed out. One in ordinary memory that it has not to itself gets memory of
// its own: it may be a constant of the model, an input that the graph names as an output, or lie in
// an arena, all of which it would keep from being freed. It then needs no session.
HeldTensor RunJob::Keep(RunOutput output, Location location) const {
  const bool is_ordinary = location == Location::kCpu || !session_->card();
  bool is_shared = false;
  for (const OrtValue* input : inputs_.values()) {
    is_shared = is_shared || SharesMemory(runtime_, *output.tensor, *input);
  }
  if ((is_ordinary && !output.is_own) || is_shared) {
    output.tensor = CopyOf(runtime_, *output.tensor, runtime_);
  }
  return {&runtime_, is_ordinary ? nullptr : session_, std::move(output.tensor)};
}

Napi::Value RunJob::Result(Napi::Env env) {
  Napi::Array results = Napi::Array::New(env, outputs_.size());
  for (uint32_t i = 0; i < outputs_.size(); ++i) {
    results.Set(i, requests_[i].location == Location::kDevice
                       ? ToJsHandle(env, std::move(outputs_[i]))
                       : tlsc::ToJs(env, std::move(outputs_[i])));
  }
  return results;
}

void RunJob::Interrupt() noexcept {
  OrtStatus* status = runtime_.api().RunOptionsSetTerminate(run_options_.get());
  if (status != nullptr) runtime_.api().ReleaseStatus(status);  // It sets a flag; it cannot fail.
}

void RunJob::Unpin() {
  inputs_.Unpin();
  session_.reset();
  hold_->RunEnded(context());
}

}  // namespace tlsc
