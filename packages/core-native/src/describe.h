#ifndef TLSC_CORE_NATIVE_DESCRIBE_H_
#define TLSC_CORE_NATIVE_DESCRIBE_H_

#include "napi_setup.h"

namespace tlsc {

// describeRuntime(path), describeOperators(path) and describeCuda(runtimePath) of lib/binding.ts:
// what this machine has, for whoever asks why something does not run.
Napi::Value DescribeRuntime(const Napi::CallbackInfo& info);
Napi::Value DescribeOperators(const Napi::CallbackInfo& info);
Napi::Value DescribeCuda(const Napi::CallbackInfo& info);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_DESCRIBE_H_
