#ifndef TLSC_CORE_NATIVE_COPY_IMAGE_JOB_H_
#define TLSC_CORE_NATIVE_COPY_IMAGE_JOB_H_

#include "napi_setup.h"

namespace tlsc {

// copyImage(source, map, target, summarizes) of lib/binding.ts.
Napi::Value CopyImageFromJs(const Napi::CallbackInfo& info);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_COPY_IMAGE_JOB_H_
