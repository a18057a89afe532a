#ifndef TLSC_CORE_NATIVE_SESSION_WRAP_H_
#define TLSC_CORE_NATIVE_SESSION_WRAP_H_

#include <memory>

#include "napi_setup.h"
#include "session.h"
#include "session_hold.h"

namespace tlsc {

// The JavaScript class `NativeSession`: what lib/binding.ts declares.
class SessionWrap : public Napi::ObjectWrap<SessionWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  static Napi::Object Wrap(Napi::Env env, std::shared_ptr<const Session> session);

  // Only Wrap() constructs; JavaScript gets a TypeError.
  explicit SessionWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value Allocate(const Napi::CallbackInfo& info);
  Napi::Value EndProfiling(const Napi::CallbackInfo& info);
  void Trim(const Napi::CallbackInfo& info);
  Napi::Value Release(const Napi::CallbackInfo& info);

  std::shared_ptr<SessionHold> hold_;
  Napi::ObjectReference released_;  // the promise of the first release()
};

// createSession(options) and checkModel(model) of lib/binding.ts.
Napi::Value CreateSession(const Napi::CallbackInfo& info);
Napi::Value CheckModel(const Napi::CallbackInfo& info);

// download(handle) and dispose(handle) of lib/binding.ts.
Napi::Value Download(const Napi::CallbackInfo& info);
void Dispose(const Napi::CallbackInfo& info);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_SESSION_WRAP_H_
