#ifndef TLSC_GATE_OPERATORS_H_
#define TLSC_GATE_OPERATORS_H_

#include "gate/model.h"

namespace tlsc::gate {

// No node is of a form that ONNX Runtime crashes on instead of refusing it. Throws Refusal.
void CheckOperators(const Model& model);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_OPERATORS_H_
