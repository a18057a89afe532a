#ifndef TLSC_ORT_REGISTER_H_
#define TLSC_ORT_REGISTER_H_

#include <onnxruntime_c_api.h>

#if defined(_WIN32)
#define TLSC_EXPORT __declspec(dllexport)
#else
#define TLSC_EXPORT __attribute__((visibility("default")))
#endif

// Makes every operator of domain `tlsc` known to the sessions that are created with these options.
// ONNX Runtime (1.21 or later) looks this symbol up when it is given the library
// (OrtApi::RegisterCustomOpsLibrary_V2). May be called from any thread, for any number of options,
// and for several ONNX Runtimes in one process.
extern "C" TLSC_EXPORT OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options,
                                                                 const OrtApiBase* api_base);

// What the kernels of this library run on: the instruction set that was chosen for this processor,
// as Highway names it (empty where TLSC_TARGET names none that it has), or the cards that they are
// compiled for. Never freed.
extern "C" TLSC_EXPORT const char* TlscTarget();

#endif  // TLSC_ORT_REGISTER_H_
