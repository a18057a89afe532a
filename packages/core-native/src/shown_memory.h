#ifndef TLSC_CORE_NATIVE_SHOWN_MEMORY_H_
#define TLSC_CORE_NATIVE_SHOWN_MEMORY_H_

#include <cstddef>
#include <memory>

#include "napi_setup.h"

namespace tlsc {

// An array buffer over memory of ours, which `owner` keeps until JavaScript collects the buffer.
// Copied only where the host forbids foreign memory in array buffers (Electron does).
napi_value ArrayBufferOver(Napi::Env env, std::shared_ptr<const void> owner, void* data,
                           size_t size);

// The owner of the memory that an array buffer shows at `data`; null where that is JavaScript's
// own.
std::shared_ptr<const void> OwnerOf(const void* data);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_SHOWN_MEMORY_H_
