#include "gate/functions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "gate/limits.h"
#include "gate/refusal.h"

namespace tlsc::gate {
namespace {

// What nodes stand for once every call is inlined. Sums end far below an overflow, at the limits.
struct Extent {
  size_t nodes = 0;
  size_t calls = 0;
  size_t parts = 0;
  size_t depth = 0;  // of calls in calls
};

// What takes time of its own each time that the node is looked at.
size_t PartsOf(const Node& node) {
  size_t parts = node.inputs.size() + node.outputs.size() + node.attributes.size();
  for (const Attribute& attribute : node.attributes) {
    for (const Graph& graph : attribute.graphs) {
      parts += graph.inputs.size() + graph.outputs.size() + graph.initializers.size();
    }
  }
  return parts;
}

class Calls {
 public:
  explicit Calls(const Model& model) : functions_(model) {}

  // Throws Refusal where the nodes stand for too much, `depth` calls being around them.
  Extent Measure(const std::vector<Node>& nodes, size_t depth) {
    Extent all;
    ForEachNode(nodes, [&](const Node& node) {
      ++all.nodes;
      all.parts += PartsOf(node);
      if (const Function* called = functions_.CalledBy(node)) {
        CheckCall(node, *called);
        const Extent body = MeasureFunction(*called, depth);
        all.nodes += body.nodes;
        all.parts += body.parts + called->attributes.size();
        all.calls += body.calls + 1;
        all.depth = std::max(all.depth, body.depth + 1);
      }
      if (all.nodes > kMostNodes) {
        RefuseAsUnsupported("has functions that stand for more than " + std::to_string(kMostNodes) +
                            " nodes");
      }
      if (all.calls > kMostCalls) {
        RefuseAsUnsupported("has functions that stand for more than " + std::to_string(kMostCalls) +
                            " calls");
      }
      if (all.parts > kMostParts) {
        RefuseAsUnsupported("has functions that stand for more than " + std::to_string(kMostParts) +
                            " parts");
      }
    });
    if (depth + all.depth > kDeepestCalls) RefuseDepth();
    return all;
  }

 private:
  [[noreturn]] static void RefuseDepth() {
    RefuseAsUnsupported("has functions in more than " + std::to_string(kDeepestCalls) +
                        " functions");
  }

  static void CheckCall(const Node& call, const Function& called) {
    if (call.inputs.size() > called.inputs.size() || call.outputs.size() > called.outputs.size()) {
      Refuse("hands " + Shown(called.name) + " more than it takes, or takes more of it, at " +
             LabelOf(call));
    }
  }

  Extent MeasureFunction(const Function& function, size_t depth) {
    const auto [entry, is_new] = extents_.try_emplace(&function, std::nullopt);
    std::optional<Extent>& extent = entry->second;  // stays where it is when others are added
    if (!is_new && !extent) Refuse("has a function that calls itself, " + Shown(function.name));
    if (depth >= kDeepestCalls) RefuseDepth();
    if (is_new) extent = Measure(function.nodes, depth + 1);
    if (depth + extent->depth > kDeepestCalls) RefuseDepth();
    return *extent;
  }

  Functions functions_;
  std::unordered_map<const Function*, std::optional<Extent>> extents_;
};

}  // namespace

Functions::Functions(const Model& model) {
  for (const Function& function : model.functions) {
    const auto key =
        std::make_tuple(NormalDomain(function.domain), function.name, function.overload);
    if (!functions_.emplace(key, &function).second) {
      Refuse("has two functions named " + Shown(function.name));
    }
  }
}

const Function* Functions::CalledBy(const Node& node) const {
  const auto found =
      functions_.find(std::make_tuple(NormalDomain(node.domain), node.op_type, node.overload));
  return found == functions_.end() ? nullptr : found->second;
}

void CheckFunctions(const Model& model) {
  Calls calls(model);
  calls.Measure(model.graph.nodes, 0);
  // Those that nothing calls are read, too.
  for (const Function& function : model.functions) calls.Measure(function.nodes, 1);
}

}  // namespace tlsc::gate
