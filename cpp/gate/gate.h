#ifndef TLSC_GATE_GATE_H_
#define TLSC_GATE_GATE_H_

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "gate/refusal.h"

namespace tlsc::gate {

// Looks at the bytes of an ONNX file before ONNX Runtime does: lets through what ONNX Runtime, and
// whoever else reads it, can be handed without harm, which it may refuse all the same. Time and
// memory are linear in what the file holds, weights are not looked at. `folder` is where its
// external data lies; without one it must have none. Throws Refusal, and std::bad_alloc; returns
// early, nothing being said of the model, once `cancelled`.
void Check(std::string_view bytes, const std::optional<std::string>& folder,
           const std::atomic<bool>& cancelled);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_GATE_H_
