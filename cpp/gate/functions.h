#ifndef TLSC_GATE_FUNCTIONS_H_
#define TLSC_GATE_FUNCTIONS_H_

#include "gate/model.h"

namespace tlsc::gate {

// The model's own functions can be inlined: each is there once, none calls itself, and all they
// stand for is within the limits. Throws Refusal.
void CheckFunctions(const Model& model);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_FUNCTIONS_H_
