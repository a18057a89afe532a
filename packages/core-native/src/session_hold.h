#ifndef TLSC_CORE_NATIVE_SESSION_HOLD_H_
#define TLSC_CORE_NATIVE_SESSION_HOLD_H_

#include <memory>

#include "napi_setup.h"
#include "promise_job.h"
#include "session.h"

namespace tlsc {

// A session as its JavaScript object and the runs that this started have it in common. JavaScript
// thread only.
class SessionHold {
 public:
  explicit SessionHold(std::shared_ptr<const Session> session) : session_(std::move(session)) {}

  // Throws kSessionReleased.
  const std::shared_ptr<const Session>& Get() const;

  void RunBegan() { ++runs_; }
  void RunEnded(Context& context);

  // Frees the session, off this thread, once its runs have ended; the promise resolves when its
  // memory is the system's again. To be called once.
  Napi::Promise Release(Napi::Env env);

 private:
  void StartRelease(Context& context);

  std::shared_ptr<const Session> session_;  // null once it is released
  size_t runs_ = 0;
  std::shared_ptr<PromiseJob> release_;  // waits for the runs
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_SESSION_HOLD_H_
