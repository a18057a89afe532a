#ifndef TLSC_CORE_NATIVE_PROMISE_JOB_H_
#define TLSC_CORE_NATIVE_PROMISE_JOB_H_

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>

#include "errors.h"
#include "executor.h"
#include "napi_setup.h"

namespace tlsc {

class PromiseJob;

// A JavaScript error with `code`.
Napi::Error ToJs(Napi::Env env, const Error& error);

// Runs `body` and throws what it throws as a JavaScript error with `code`.
template <typename Body>
auto WithJsErrors(Napi::Env env, Body body) {
  try {
    return body();
  } catch (const Error& error) {
    throw ToJs(env, error);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw ToJs(env, Error(ErrorCode::kOutOfMemory, "out of memory"));
  } catch (const std::exception& error) {
    throw ToJs(env, Error(ErrorCode::kRunFailed, error.what()));
  }
}

// What one JavaScript context (the main thread or a worker) has under way.
class Context {
 public:
  explicit Context(Napi::Env env);

  static Context& Of(Napi::Env env) { return *env.GetInstanceData<Context>(); }

  // Hands the job to the executor and returns its promise. JavaScript thread only, like all but
  // Finished().
  Napi::Promise Start(const std::shared_ptr<PromiseJob>& job);
  void Abort(PromiseJob& job);

  // Called by the executor's thread when the job has run: the promise is settled on the JavaScript
  // thread soon after.
  void Finished(PromiseJob& job) noexcept;

  // Aborts what is under way and waits for its end: the context is closing (the process ends, or a
  // worker is terminated), and nothing may call into it afterwards. Start() refuses from then on.
  // May be repeated.
  void Close();

  Napi::FunctionReference session_class;

 private:
  static void Settle(Napi::Env env, Napi::Function, Context* context, PromiseJob* job);

  using SettleFunction = Napi::TypedThreadSafeFunction<Context, PromiseJob, &Context::Settle>;

  SettleFunction settle_;
  std::set<std::shared_ptr<PromiseJob>> active_;  // JavaScript thread only
  std::mutex mutex_;
  std::condition_variable all_finished_;
  size_t unfinished_ = 0;
  bool closed_ = false;  // JavaScript thread only
};

// A job that settles a promise: Execute() runs on a thread of the executor, Result() on the
// JavaScript thread.
class PromiseJob : public Job, public std::enable_shared_from_this<PromiseJob> {
 public:
  explicit PromiseJob(Napi::Env env) : context_(Context::Of(env)), deferred_(env) {}

  void Run() noexcept final;
  void Cancel() noexcept final;

 protected:
  virtual void Execute() = 0;
  virtual Napi::Value Result(Napi::Env env) = 0;
  // Ends a running Execute() early. Any thread.
  virtual void Interrupt() noexcept {}
  // Lets go of JavaScript values, on the JavaScript thread.
  virtual void Unpin() {}

 private:
  friend class Context;

  Context& context_;
  Napi::Promise::Deferred deferred_;
  std::atomic<bool> cancelled_ = false;
  std::optional<Error> error_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_PROMISE_JOB_H_
