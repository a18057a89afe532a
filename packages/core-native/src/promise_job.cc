#include "promise_job.h"

#include <algorithm>
#include <new>
#include <string>

namespace tlsc {
namespace {

// What `body` throws; none where it throws nothing.
template <typename Body>
std::optional<Error> ErrorOf(Body body) noexcept {
  try {
    body();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    return Error(ErrorCode::kRunFailed, error.what());
  }
}

}  // namespace

Napi::Error ToJs(Napi::Env env, const Error& error) {
  Napi::Error js_error = Napi::Error::New(env, error.what());
  js_error.Set("code", Napi::String::New(env, std::string(NameOf(error.code()))));
  if (!error.culprit().empty()) js_error.Set("culprit", error.culprit());
  return js_error;
}

Context::Context(Napi::Env env) : settle_(SettleFunction::New(env, "tlsc settle", 0, 1, this)) {
  settle_.Unref(env);
  set_immediate_ = Napi::Persistent(env.Global().Get("setImmediate").As<Napi::Function>());
  prepare_next_ = Napi::Persistent(
      Napi::Function::New(env, [this](const Napi::CallbackInfo&) { PrepareNext(); }));
  // Hooks run last in, first out: this one comes before the thread-safe function's own.
  env.AddCleanupHook([](Context* context) { context->Close(); }, this);
}

Napi::Promise Context::Start(const std::shared_ptr<PromiseJob>& job) {
  if (closed_) throw Error(ErrorCode::kAborted, "the process is ending");
  if (job->Prepare(job->deferred_.Env())) {
    Submit(job);
  } else {
    preparing_.push_back(job);
    if (preparing_.size() == 1) Schedule();
  }
  return job->Promise();
}

void Context::Submit(const std::shared_ptr<PromiseJob>& job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++unfinished_;
  }
  try {
    job->executor().Submit(job, job->IsNext());
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    --unfinished_;
    throw;
  }
  // A promise that is waited for keeps the process alive.
  if (active_.empty()) settle_.Ref(job->deferred_.Env());
  active_.insert(job);
}

void Context::Schedule() { set_immediate_.Call({prepare_next_.Value()}); }

// One step of one job per turn, so that no number of jobs holds up the event loop.
void Context::PrepareNext() {
  if (preparing_.empty()) return;
  const std::shared_ptr<PromiseJob> job = preparing_.front();
  bool is_prepared = false;
  const std::optional<Error> error = ErrorOf([&] {
    is_prepared = job->Prepare(job->deferred_.Env());
    if (is_prepared) Submit(job);
  });
  if (is_prepared || error) preparing_.pop_front();
  if (!preparing_.empty()) Schedule();
  if (error) Reject(*job, *error);
}

void Context::Abort(PromiseJob& job) {
  job.Cancel();
  const auto found =
      std::find_if(preparing_.begin(), preparing_.end(),
                   [&job](const auto& preparing) { return preparing.get() == &job; });
  if (found != preparing_.end()) {
    const std::shared_ptr<PromiseJob> kept = *found;
    preparing_.erase(found);
    Reject(job, Error(ErrorCode::kAborted, "aborted before it started"));
    return;
  }
  if (job.executor().Withdraw(&job)) job.Run();
}

void Context::Finished(PromiseJob& job) noexcept {
  settle_.NonBlockingCall(&job);
  // Notified under the lock: once Close() sees zero, this context may be gone.
  const std::lock_guard<std::mutex> lock(mutex_);
  --unfinished_;
  all_finished_.notify_all();
}

void Context::Reject(PromiseJob& job, const Error& error) {
  job.Unpin();
  job.deferred_.Reject(ToJs(job.deferred_.Env(), error).Value());
}

void Context::Settle(Napi::Env env, Napi::Function, Context* context, PromiseJob* pointer) {
  const std::shared_ptr<PromiseJob> job = pointer->shared_from_this();
  context->active_.erase(job);
  job->Unpin();
  const bool closing = static_cast<napi_env>(env) == nullptr;
  if (closing) return;
  if (context->active_.empty()) context->settle_.Unref(env);
  if (job->error_) {
    job->deferred_.Reject(ToJs(env, *job->error_).Value());
    return;
  }
  try {
    job->deferred_.Resolve(job->Result(env));
  } catch (const Error& error) {
    job->deferred_.Reject(ToJs(env, error).Value());
  } catch (const Napi::Error& error) {
    job->deferred_.Reject(error.Value());
  }
}

void Context::Close() {
  closed_ = true;
  preparing_.clear();
  for (const auto& job : active_) Abort(*job);
  std::unique_lock<std::mutex> lock(mutex_);
  all_finished_.wait(lock, [this] { return unfinished_ == 0; });
}

void PromiseJob::Run() noexcept {
  if (cancelled_) {
    error_ = Error(ErrorCode::kAborted, "aborted before it started");
  } else {
    error_ = ErrorOf([this] { Execute(); });
    if (error_ && cancelled_) error_ = Error(ErrorCode::kAborted, "aborted");
  }
  context_.Finished(*this);
}

void PromiseJob::BrokeOff() noexcept {
  error_ = Error(ErrorCode::kRunFailed,
                 "ONNX Runtime broke off in the middle of the model, by a check of its own; the "
                 "memory of this run is lost until the process ends");
  context_.Finished(*this);
}

void PromiseJob::Cancel() noexcept {
  cancelled_ = true;
  Interrupt();
}

}  // namespace tlsc
