#include "executor.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <system_error>
#include <utility>

namespace tlsc {
namespace {

// What this thread is busy with.
struct Occupation {
  Executor* executor;
  std::shared_ptr<Job> job;
};
thread_local Occupation* occupation = nullptr;

std::terminate_handler terminate_before = nullptr;

}  // namespace

// Never destroyed: its threads outlive every static of this library.
Executor& Executor::Get() {
  static auto& executor = *new Executor;
  return executor;
}

Executor& Executor::Brief() {
  static auto& executor = *new Executor;
  return executor;
}

Executor::Executor() : max_threads_(std::max(2u, std::thread::hardware_concurrency())) {}

void Executor::CatchTerminate(SetTerminate* set_terminate) {
  static std::mutex mutex;
  static auto& caught = *new std::set<SetTerminate*>;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!caught.insert(set_terminate).second) return;
  const std::terminate_handler before = set_terminate(OnTerminate);
  if (terminate_before == nullptr) terminate_before = before;
}

void Executor::Submit(std::shared_ptr<Job> job, bool is_next) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (shut_down_) return;
  // Started before the job is queued: if the system has no thread to give, not even a first one,
  // the caller learns of it and nothing waits.
  if (idle_ <= queue_.size() && threads_.size() < max_threads_) {
    try {
      StartThread();
    } catch (const std::system_error&) {
      if (threads_.empty()) throw;
    }
  }
  if (is_next) {
    queue_.push_front(std::move(job));
  } else {
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Executor::StartThread() {
  threads_.emplace_back([this] { Work(); });
}

bool Executor::Withdraw(const Job* job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = std::find_if(queue_.begin(), queue_.end(),
                                  [job](const auto& queued) { return queued.get() == job; });
  if (found == queue_.end()) return false;
  queue_.erase(found);
  return true;
}

void Executor::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [this] { return shut_down_ || !queue_.empty(); });
    --idle_;
    if (shut_down_) return;
    const std::shared_ptr<Job> job = std::move(queue_.front());
    queue_.pop_front();
    running_.insert(job);
    lock.unlock();
    Occupation busy = {this, job};
    occupation = &busy;
    job->Run();
    occupation = nullptr;
    lock.lock();
    running_.erase(job);
    if (running_.empty()) none_runs_.notify_all();
  }
}

void Executor::OnTerminate() {
  if (const Occupation* const busy = std::exchange(occupation, nullptr)) {
    busy->executor->Abandon(busy->job);
    while (true) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  terminate_before();
  std::abort();
}

void Executor::Abandon(const std::shared_ptr<Job>& job) {
  job->BrokeOff();
  const std::lock_guard<std::mutex> lock(mutex_);
  abandoned_.push_back(job);
  const auto self = std::find_if(threads_.begin(), threads_.end(), [](const std::thread& thread) {
    return thread.get_id() == std::this_thread::get_id();
  });
  self->detach();
  threads_.erase(self);
  running_.erase(job);
  if (running_.empty()) none_runs_.notify_all();
  if (shut_down_ || queue_.empty()) return;
  try {
    StartThread();
  } catch (const std::system_error&) {
    // The next submission tries again.
  }
}

void Executor::Shutdown() {
  std::unique_lock<std::mutex> lock(mutex_);
  shut_down_ = true;
  queue_.clear();
  for (const auto& job : running_) job->Cancel();
  wake_.notify_all();
  none_runs_.wait(lock, [this] { return running_.empty(); });
  std::vector<std::thread> threads = std::exchange(threads_, {});
  lock.unlock();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace tlsc
