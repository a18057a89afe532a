#ifndef TLSC_CORE_NATIVE_RUN_JOB_H_
#define TLSC_CORE_NATIVE_RUN_JOB_H_

#include <memory>
#include <vector>

#include "napi_setup.h"
#include "promise_job.h"
#include "run_inputs.h"
#include "session.h"
#include "session_hold.h"
#include "tensor.h"

namespace tlsc {

// One run of a session: NativeSession.run() of lib/binding.ts.
class RunJob final : public PromiseJob {
 public:
  RunJob(Napi::Env env, std::shared_ptr<SessionHold> hold, const Napi::Array& inputs,
         const Napi::Array& outputs, size_t limit);

  // What RunResult says of it, once the run has ended well.
  std::shared_ptr<const size_t> peak() const { return peak_; }

 private:
  bool Prepare(Napi::Env env) override;
  void Execute() override;
  Napi::Value Result(Napi::Env env) override;
  void Interrupt() noexcept override;
  void Unpin() override;

  HeldTensor Keep(RunOutput output, Location location) const;

  std::shared_ptr<SessionHold> hold_;
  std::shared_ptr<const Session> session_;
  const Runtime& runtime_;
  OrtOwned<OrtRunOptions> run_options_;
  size_t limit_;
  std::shared_ptr<size_t> peak_ = std::make_shared<size_t>(0);
  RunInputs inputs_;
  std::vector<OutputRequest> requests_;
  std::vector<HeldTensor> outputs_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_RUN_JOB_H_
