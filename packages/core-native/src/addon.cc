#include <string>

#include "describe.h"
#include "errors.h"
#include "image_jobs.h"
#include "napi_setup.h"
#include "promise_job.h"
#include "session_wrap.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* context = new tlsc::Context(env);
  env.SetInstanceData(context);
  context->session_class = Napi::Persistent(tlsc::SessionWrap::Define(env));
  exports.Set("checkModel", Napi::Function::New(env, tlsc::CheckModel));
  exports.Set("createSession", Napi::Function::New(env, tlsc::CreateSession));
  exports.Set("allocateImage", Napi::Function::New(env, tlsc::AllocateImage));
  exports.Set("mapFile", Napi::Function::New(env, tlsc::MapFileFromJs));
  exports.Set("copyImage", Napi::Function::New(env, tlsc::CopyImageFromJs));
  exports.Set("summarizeImage", Napi::Function::New(env, tlsc::SummarizeImageFromJs));
  exports.Set("discard", Napi::Function::New(env, tlsc::Discard));
  exports.Set("fillHidden", Napi::Function::New(env, tlsc::FillHiddenFromJs));
  exports.Set("download", Napi::Function::New(env, tlsc::Download));
  exports.Set("dispose", Napi::Function::New(env, tlsc::Dispose));
  exports.Set("describeRuntime", Napi::Function::New(env, tlsc::DescribeRuntime));
  exports.Set("describeOperators", Napi::Function::New(env, tlsc::DescribeOperators));
  exports.Set("describeCuda", Napi::Function::New(env, tlsc::DescribeCuda));
  exports.Set("close", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                tlsc::Context::Of(info.Env()).Close();
              }));
  Napi::Array codes = Napi::Array::New(env);
  for (const auto& [code, name] : tlsc::kErrorCodes) {
    codes.Set(codes.Length(), std::string(name));
  }
  exports.Set("errorCodes", codes);
  return exports;
}

}  // namespace

NODE_API_MODULE(tlsc, Init)
