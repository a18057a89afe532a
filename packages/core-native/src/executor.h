#ifndef TLSC_CORE_NATIVE_EXECUTOR_H_
#define TLSC_CORE_NATIVE_EXECUTOR_H_

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace tlsc {

// A piece of work for the executor's threads.
class Job {
 public:
  virtual ~Job() = default;
  // Called once, on a thread of the executor. Must not throw.
  virtual void Run() noexcept = 0;
  // Called on the thread that is inside Run(), and will never come back from it: what it had called
  // has ended by std::terminate.
  virtual void BrokeOff() noexcept = 0;
  // Asks Run() to end early, or not to begin. Any thread, any time, repeatedly.
  virtual void Cancel() noexcept = 0;
};

// ONNX Runtime checks its own work by contracts (GSL), and calls std::terminate where one is
// broken: nothing is damaged then, but nothing can go on either. A thread of the executor's that it
// happens on is left standing there, with the memory of its job, so that the process need not end.
//
// The threads that wait for inference, shared by every JavaScript context of the process, first
// come first served. They are our own and not libuv's: a few long inferences would otherwise hold
// up every file access and every image that sharp decodes.
class Executor {
 public:
  // The one of the process for what takes long: runs of networks, and loading them.
  static Executor& Get();

  // And one for what is done in milliseconds, so that it does not wait for those.
  static Executor& Brief();

  // Shutdown() must come before the end of any other one; tests have such.
  Executor();

  // `is_next`: before all that is queued.
  void Submit(std::shared_ptr<Job> job, bool is_next = false);

  // Takes a job out of the queue; false when it is no longer there.
  bool Withdraw(const Job* job);

  size_t max_threads() const { return max_threads_; }

  // What std::set_terminate is: a process may hold several copies of the C++ library, each with a
  // handler of its own.
  using SetTerminate = std::terminate_handler(std::terminate_handler) noexcept;
  // From now on a thread of the executor's outlives std::terminate of the copy that this belongs
  // to. On other threads the handler goes on that the first copy had before.
  static void CatchTerminate(SetTerminate* set_terminate);

  // Cancels what is queued or running and joins the threads. Later submissions are never run.
  void Shutdown();

 private:
  void Work();
  void StartThread();
  [[noreturn]] static void OnTerminate();
  void Abandon(const std::shared_ptr<Job>& job);

  const size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable none_runs_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::set<std::shared_ptr<Job>> running_;
  std::vector<std::shared_ptr<Job>> abandoned_;  // whose threads still stand inside them
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool shut_down_ = false;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_EXECUTOR_H_
