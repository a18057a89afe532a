#ifndef TLSC_GATE_STRUCTURE_H_
#define TLSC_GATE_STRUCTURE_H_

#include "gate/model.h"

namespace tlsc::gate {

// Every value has one name in its graph or function, and is computed from what does not need it.
// Throws Refusal.
void CheckStructure(const Model& model);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_STRUCTURE_H_
