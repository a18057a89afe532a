#ifndef TLSC_KERNELS_TARGET_H_
#define TLSC_KERNELS_TARGET_H_

#include "base/status.h"

namespace tlsc {

// Chooses the instruction set that the kernels run on, at the first call: the best that the
// processor has, or the one named in the environment variable TLSC_TARGET ("AVX2", "SSE4", … as
// Highway names them), for tests and bug reports. Every kernel calls it before it dispatches.
//
// Returns kInvalidArgument when TLSC_TARGET names none that was built and that the processor has.
// Thread-safe.
Status ChooseTarget();

// Highway's name of that instruction set; empty where ChooseTarget() fails.
const char* TargetName();

}  // namespace tlsc

#endif  // TLSC_KERNELS_TARGET_H_
