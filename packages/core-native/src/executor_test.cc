#include "executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tlsc {
namespace {

// Counts, and runs until it may end or is cancelled.
class TestJob final : public Job {
 public:
  explicit TestJob(bool waits = false) : may_end_(!waits) {}

  void Run() noexcept override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++runs_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return may_end_ || cancelled_; });
    ended_ = true;
  }

  void BrokeOff() noexcept override {}

  void Cancel() noexcept override {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    may_end_ = true;
    changed_.notify_all();
  }

  void WaitUntilRunning() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return runs_ > 0; });
  }

  int runs() const { return Locked(runs_); }
  bool ended() const { return Locked(ended_); }
  bool cancelled() const { return Locked(cancelled_); }

 private:
  template <typename T>
  T Locked(const T& value) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int runs_ = 0;
  bool may_end_;
  bool cancelled_ = false;
  bool ended_ = false;
};

using Jobs = std::vector<std::shared_ptr<TestJob>>;

Jobs MakeJobs(size_t count, bool waits = false) {
  Jobs jobs(count);
  for (auto& job : jobs) job = std::make_shared<TestJob>(waits);
  return jobs;
}

// As many as keep every thread of an executor busy.
Jobs OccupyThreads(Executor& executor) {
  const Jobs jobs = MakeJobs(executor.max_threads(), true);
  for (const auto& job : jobs) executor.Submit(job);
  for (const auto& job : jobs) job->WaitUntilRunning();
  return jobs;
}

void WaitUntilEnded(const Jobs& jobs) {
  for (const auto& job : jobs) {
    while (!job->ended()) std::this_thread::yield();
  }
}

TEST(Executor, RunsEachJobOnce) {
  Executor executor;
  const Jobs jobs = MakeJobs(100);
  for (const auto& job : jobs) executor.Submit(job);
  WaitUntilEnded(jobs);
  executor.Shutdown();
  for (const auto& job : jobs) EXPECT_EQ(job->runs(), 1);
}

TEST(Executor, RunsJobsAtTheSameTime) {
  Executor executor;
  const Jobs jobs = OccupyThreads(executor);  // would not return if one waited for another
  EXPECT_GE(jobs.size(), 2u);
  for (const auto& job : jobs) job->End();
  executor.Shutdown();
}

TEST(Executor, WithdrawsWhatIsQueuedAlone) {
  Executor executor;
  const Jobs running = OccupyThreads(executor);
  const Jobs queued = MakeJobs(3);
  for (const auto& job : queued) executor.Submit(job);
  EXPECT_FALSE(executor.Withdraw(running[0].get()));
  EXPECT_TRUE(executor.Withdraw(queued[1].get()));
  EXPECT_FALSE(executor.Withdraw(queued[1].get()));
  for (const auto& job : running) job->End();
  WaitUntilEnded({queued[0], queued[2]});
  executor.Shutdown();
  EXPECT_EQ(queued[1]->runs(), 0);
  EXPECT_EQ(queued[2]->runs(), 1);
}

TEST(Executor, ShutdownCancelsWhatRunsAndDropsWhatWaits) {
  Executor executor;
  const Jobs running = OccupyThreads(executor);
  const Jobs queued = MakeJobs(3);
  for (const auto& job : queued) executor.Submit(job);
  executor.Shutdown();
  for (const auto& job : running) {
    EXPECT_TRUE(job->cancelled());
    EXPECT_TRUE(job->ended());
  }
  for (const auto& job : queued) EXPECT_EQ(job->runs(), 0);
  const Jobs late = MakeJobs(1);
  executor.Submit(late[0]);
  EXPECT_EQ(late[0]->runs(), 0);
  EXPECT_FALSE(executor.Withdraw(late[0].get()));
  executor.Shutdown();  // may be repeated
}

class BreakingJob final : public Job {
 public:
  void Run() noexcept override { std::terminate(); }
  void BrokeOff() noexcept override { broke_off_ = true; }
  void Cancel() noexcept override {}

  bool broke_off() const { return broke_off_; }

 private:
  std::atomic<bool> broke_off_ = false;
};

TEST(Executor, GoesOnWithoutThreadsThatBrokeOff) {
  Executor::CatchTerminate(std::set_terminate);
  // Stays, as the threads do that stand inside it.
  Executor& executor = *new Executor;
  std::vector<std::shared_ptr<BreakingJob>> breaking(executor.max_threads() + 2);
  for (auto& job : breaking) {
    job = std::make_shared<BreakingJob>();
    executor.Submit(job);
  }
  const Jobs jobs = MakeJobs(10);
  for (const auto& job : jobs) executor.Submit(job);
  WaitUntilEnded(jobs);
  for (const auto& job : breaking) EXPECT_TRUE(job->broke_off());
  executor.Shutdown();
}

TEST(ExecutorDeathTest, OtherThreadsEndTheProcess) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  Executor::CatchTerminate(std::set_terminate);
  Executor::CatchTerminate(std::set_terminate);  // may be repeated
  EXPECT_EXIT(std::terminate(), testing::KilledBySignal(SIGABRT), "");
}

// Several JavaScript contexts at once: each submits, withdraws and cancels its own.
TEST(Executor, EveryJobOfAStormRunsOrIsWithdrawn) {
  Executor executor;
  constexpr size_t kContexts = 4;
  constexpr size_t kJobs = 500;
  std::vector<std::thread> contexts;
  std::atomic<size_t> withdrawn = 0;
  std::vector<Jobs> all(kContexts);
  for (size_t context = 0; context < kContexts; ++context) {
    contexts.emplace_back([&, context] {
      Jobs& jobs = all[context];
      jobs = MakeJobs(kJobs);
      for (size_t i = 0; i < kJobs; ++i) {
        executor.Submit(jobs[i]);
        if (i % 3 == 0) jobs[i]->Cancel();
        if (i % 2 == 0 && executor.Withdraw(jobs[i - i % 5].get())) ++withdrawn;
      }
    });
  }
  for (std::thread& context : contexts) context.join();
  const auto runs = [&] {
    size_t sum = 0;
    for (const Jobs& jobs : all) {
      for (const auto& job : jobs) sum += static_cast<size_t>(job->runs());
    }
    return sum;
  };
  while (runs() + withdrawn < kContexts * kJobs) std::this_thread::yield();
  executor.Shutdown();
  EXPECT_EQ(runs() + withdrawn, kContexts * kJobs);
  for (const Jobs& jobs : all) {
    for (const auto& job : jobs) EXPECT_LE(job->runs(), 1);
  }
}

// The process ends while contexts are busy: nothing hangs, and nothing runs once it has returned.
TEST(Executor, ShutdownInAStorm) {
  for (int round = 0; round < 20; ++round) {
    Executor executor;
    std::atomic<bool> stop = false;
    std::vector<std::thread> contexts;
    std::vector<Jobs> all(3);
    for (Jobs& jobs : all) {
      contexts.emplace_back([&executor, &stop, &jobs] {
        while (!stop && jobs.size() < 2000) {
          jobs.push_back(std::make_shared<TestJob>(jobs.size() % 2 == 0));
          executor.Submit(jobs.back());
          if (jobs.size() % 3 == 0) executor.Withdraw(jobs[jobs.size() / 2].get());
          if (jobs.size() % 5 == 0) jobs[jobs.size() / 2]->Cancel();
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 4));
    executor.Shutdown();
    stop = true;
    for (std::thread& context : contexts) context.join();
    for (const Jobs& jobs : all) {
      for (const auto& job : jobs) EXPECT_TRUE(job->runs() == 0 || job->ended());
    }
  }
}

}  // namespace
}  // namespace tlsc
