#include "promise_job.h"

#include <new>
#include <string>

namespace tlsc {

Napi::Error ToJs(Napi::Env env, const Error& error) {
  Napi::Error js_error = Napi::Error::New(env, error.what());
  js_error.Set("code", Napi::String::New(env, std::string(NameOf(error.code()))));
  if (!error.culprit().empty()) js_error.Set("culprit", error.culprit());
  return js_error;
}

Context::Context(Napi::Env env) : settle_(SettleFunction::New(env, "tlsc settle", 0, 1, this)) {
  settle_.Unref(env);
  // Hooks run last in, first out: this one comes before the thread-safe function's own.
  env.AddCleanupHook([](Context* context) { context->Close(); }, this);
}

Napi::Promise Context::Start(const std::shared_ptr<PromiseJob>& job) {
  if (closed_) throw Error(ErrorCode::kAborted, "the process is ending");
  const Napi::Env env = job->deferred_.Env();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++unfinished_;
  }
  try {
    Executor::Get().Submit(job);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    --unfinished_;
    throw;
  }
  // A promise that is waited for keeps the process alive.
  if (active_.empty()) settle_.Ref(env);
  active_.insert(job);
  return job->deferred_.Promise();
}

void Context::Abort(PromiseJob& job) {
  job.Cancel();
  if (Executor::Get().Withdraw(&job)) job.Run();
}

void Context::Finished(PromiseJob& job) noexcept {
  settle_.NonBlockingCall(&job);
  // Notified under the lock: once Close() sees zero, this context may be gone.
  const std::lock_guard<std::mutex> lock(mutex_);
  --unfinished_;
  all_finished_.notify_all();
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
  for (const auto& job : active_) Abort(*job);
  std::unique_lock<std::mutex> lock(mutex_);
  all_finished_.wait(lock, [this] { return unfinished_ == 0; });
}

void PromiseJob::Run() noexcept {
  try {
    if (cancelled_) {
      error_ = Error(ErrorCode::kAborted, "aborted before it started");
    } else {
      Execute();
    }
  } catch (const Error& error) {
    error_ = cancelled_ ? Error(ErrorCode::kAborted, "aborted") : error;
  } catch (const std::bad_alloc&) {
    error_ = Error(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    error_ = Error(ErrorCode::kRunFailed, error.what());
  }
  context_.Finished(*this);
}

void PromiseJob::Cancel() noexcept {
  cancelled_ = true;
  Interrupt();
}

}  // namespace tlsc
