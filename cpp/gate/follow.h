#ifndef TLSC_GATE_FOLLOW_H_
#define TLSC_GATE_FOLLOW_H_

#include <atomic>
#include <functional>

#include "gate/model.h"
#include "gate/results.h"

namespace tlsc::gate {

// Calls `visit` for each node that ONNX Runtime runs, with what is known of its inputs: those of
// the graph, those in its nodes' graphs, and those of a function once for each call, calls
// included. Takes a model whose functions and structure were checked; time is linear in what it is
// once inlined. Throws what `visit` throws;
// ends early once `cancelled`.
void FollowFacts(const Model& model, const std::function<void(const Step&)>& visit,
                 const std::atomic<bool>& cancelled);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_FOLLOW_H_
