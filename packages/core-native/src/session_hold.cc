#include "session_hold.h"

#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace tlsc {
namespace {

class ReleaseJob final : public PromiseJob {
 public:
  ReleaseJob(Napi::Env env, std::shared_ptr<const Session> session)
      : PromiseJob(env), session_(std::move(session)) {}

 private:
  bool IsNext() const override { return true; }

  void Execute() override {
    session_.reset();
#ifdef __GLIBC__
    // It keeps what is freed in pieces of less than up to 32 MB for later.
    malloc_trim(0);
#endif
  }

  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }

  std::shared_ptr<const Session> session_;
};

}  // namespace

const std::shared_ptr<const Session>& SessionHold::Get() const {
  if (!session_) throw Error(ErrorCode::kSessionReleased, "the session was released");
  return session_;
}

void SessionHold::RunEnded(Context& context) {
  --runs_;
  if (runs_ == 0 && release_) StartRelease(context);
}

Napi::Promise SessionHold::Release(Napi::Env env) {
  release_ = std::make_shared<ReleaseJob>(env, std::move(session_));
  const Napi::Promise promise = release_->Promise();
  if (runs_ == 0) StartRelease(Context::Of(env));
  return promise;
}

void SessionHold::StartRelease(Context& context) {
  const std::shared_ptr<PromiseJob> release = std::move(release_);
  // A context that is closing settles nothing any more; the session goes with the job.
  if (!context.closed()) context.Start(release);
}

}  // namespace tlsc
