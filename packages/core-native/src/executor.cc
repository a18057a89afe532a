#include "executor.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace tlsc {

// Never destroyed: its threads outlive every static of this library.
Executor& Executor::Get() {
  static auto& executor = *new Executor;
  return executor;
}

Executor::Executor() : max_threads_(std::max(2u, std::thread::hardware_concurrency())) {}

void Executor::Submit(std::shared_ptr<Job> job, bool is_next) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (shut_down_) return;
  // Started before the job is queued: if the system has no thread to give, not even a first one,
  // the caller learns of it and nothing waits.
  if (idle_ <= queue_.size() && threads_.size() < max_threads_) {
    try {
      threads_.emplace_back([this] { Work(); });
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
    job->Run();
    lock.lock();
    running_.erase(job);
  }
}

void Executor::Shutdown() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    shut_down_ = true;
    queue_.clear();
    for (const auto& job : running_) job->Cancel();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace tlsc
