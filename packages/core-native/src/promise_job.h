#ifndef TLSC_CORE_NATIVE_PROMISE_JOB_H_
#define TLSC_CORE_NATIVE_PROMISE_JOB_H_

#include <atomic>
#include <condition_variable>
#include <deque>
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

// Bytes that are copied from JavaScript in one turn of the event loop: less than a millisecond of
// work.
inline constexpr size_t kCopiedPerTurn = 1 << 20;

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

  // Hands the job to the executor once it is prepared, and returns its promise. Throws what the
  // first step of its preparation throws. JavaScript thread only, like all but Finished().
  Napi::Promise Start(const std::shared_ptr<PromiseJob>& job);
  void Abort(PromiseJob& job);

  // Called by the executor's thread when the job has run: the promise is settled on the JavaScript
  // thread soon after.
  void Finished(PromiseJob& job) noexcept;

  // Aborts what is under way and waits for its end: the context is closing (the process ends, or a
  // worker is terminated), and nothing may call into it afterwards. Start() refuses from then on.
  // May be repeated.
  void Close();

  // Whether Close() was called.
  bool closed() const { return closed_; }

  Napi::FunctionReference session_class;

 private:
  void Submit(const std::shared_ptr<PromiseJob>& job);
  // Goes on with a job that is being prepared, on the next turn of the event loop.
  void Schedule();
  void PrepareNext();
  static void Reject(PromiseJob& job, const Error& error);
  static void Settle(Napi::Env env, Napi::Function, Context* context, PromiseJob* job);

  using SettleFunction = Napi::TypedThreadSafeFunction<Context, PromiseJob, &Context::Settle>;

  SettleFunction settle_;
  Napi::FunctionReference set_immediate_;
  Napi::FunctionReference prepare_next_;
  std::deque<std::shared_ptr<PromiseJob>> preparing_;  // JavaScript thread only
  std::set<std::shared_ptr<PromiseJob>> active_;       // JavaScript thread only
  std::mutex mutex_;
  std::condition_variable all_finished_;
  size_t unfinished_ = 0;
  bool closed_ = false;  // JavaScript thread only
};

// A job that settles a promise: Prepare() and Result() run on the JavaScript thread, Execute() in
// between on a thread of the executor.
class PromiseJob : public Job, public std::enable_shared_from_this<PromiseJob> {
 public:
  explicit PromiseJob(Napi::Env env) : context_(Context::Of(env)), deferred_(env) {}

  void Run() noexcept final;
  void BrokeOff() noexcept final;
  void Cancel() noexcept final;

  // To be called before the JavaScript scope in which the job was made ends.
  Napi::Promise Promise() const { return deferred_.Promise(); }

 protected:
  // Takes from JavaScript what Execute() needs, in steps: called in one turn of the event loop
  // after another until it returns true. A step must be brief.
  virtual bool Prepare(Napi::Env) { return true; }
  // Whether it comes before all that waits for a thread.
  virtual bool IsNext() const { return false; }
  // Whose threads it runs on.
  virtual Executor& executor() const { return Executor::Get(); }
  virtual void Execute() = 0;
  virtual Napi::Value Result(Napi::Env env) = 0;
  // Ends a running Execute() early. Any thread.
  virtual void Interrupt() noexcept {}
  // Lets go of JavaScript values, on the JavaScript thread. Called once, when the job has ended.
  virtual void Unpin() {}

  Context& context() { return context_; }

 private:
  friend class Context;

  Context& context_;
  Napi::Promise::Deferred deferred_;
  std::atomic<bool> cancelled_ = false;
  std::optional<Error> error_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_PROMISE_JOB_H_
