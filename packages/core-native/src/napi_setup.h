#ifndef TLSC_CORE_NATIVE_NAPI_SETUP_H_
#define TLSC_CORE_NATIVE_NAPI_SETUP_H_

// The only include of napi.h, so that every file sees it under the same settings (NAPI_VERSION and
// NAPI_CPP_EXCEPTIONS come from CMakeLists.txt).
#include <napi.h>

#endif  // TLSC_CORE_NATIVE_NAPI_SETUP_H_
