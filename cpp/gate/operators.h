#ifndef TLSC_GATE_OPERATORS_H_
#define TLSC_GATE_OPERATORS_H_

#include <atomic>

#include "gate/model.h"

namespace tlsc::gate {

// No node is of a form, nor may be given values, that ONNX Runtime crashes on instead of refusing
// them. Takes a model whose functions and structure were checked. Throws Refusal.
void CheckOperators(const Model& model, const std::atomic<bool>& cancelled);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_OPERATORS_H_
