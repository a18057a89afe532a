#ifndef TLSC_CORE_NATIVE_IMAGE_JOBS_H_
#define TLSC_CORE_NATIVE_IMAGE_JOBS_H_

#include "napi_setup.h"

namespace tlsc {

// copyImage(source, map, target, summarizes) of lib/binding.ts.
Napi::Value CopyImageFromJs(const Napi::CallbackInfo& info);

// allocateImage(layout) of it.
Napi::Value AllocateImage(const Napi::CallbackInfo& info);

// mapFile(path) of it.
Napi::Value MapFileFromJs(const Napi::CallbackInfo& info);

// summarizeImage(source, map, target) of it.
Napi::Value SummarizeImageFromJs(const Napi::CallbackInfo& info);

// discard(array) of it.
void Discard(const Napi::CallbackInfo& info);

// fillHidden(planes, alpha) of it.
Napi::Value FillHiddenFromJs(const Napi::CallbackInfo& info);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_IMAGE_JOBS_H_
