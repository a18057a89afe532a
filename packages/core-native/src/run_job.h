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
         const Napi::Array& outputs);

 private:
  bool Prepare(Napi::Env env) override;
  void Execute() override;
  Napi::Value Result(Napi::Env env) override;
  void Interrupt() noexcept override;
  void Unpin() override;

  HeldTensor Keep(OrtTensor output, Location location) const;

  std::shared_ptr<SessionHold> hold_;
  std::shared_ptr<const Session> session_;
  const Runtime& runtime_;
  OrtOwned<OrtRunOptions> run_options_;
  RunInputs inputs_;
  std::vector<OutputRequest> requests_;
  std::vector<HeldTensor> outputs_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_RUN_JOB_H_
