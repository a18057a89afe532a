#include "gate/functions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>

#include "gate/limits.h"
#include "gate/refusal.h"

namespace tlsc::gate {
namespace {

// What nodes stand for once every call is inlined. Sums end far below an overflow, at the limits.
struct Extent {
  size_t nodes = 0;
  size_t calls = 0;
  size_t depth = 0;  // of calls in calls
};

class Calls {
 public:
  explicit Calls(const Model& model) {
    for (const Function& function : model.functions) {
      if (!functions_.emplace(KeyOf(function.domain, function.name, function.overload), &function)
               .second) {
        Refuse("has two functions named " + Shown(function.name));
      }
    }
  }

  // Throws Refusal where the nodes stand for too much, `depth` calls being around them.
  Extent Measure(const std::vector<Node>& nodes, size_t depth) {
    Extent all;
    ForEachNode(nodes, [&](const Node& node) {
      ++all.nodes;
      const auto found = functions_.find(KeyOf(node.domain, node.op_type, node.overload));
      if (found != functions_.end()) {
        const Function& called = *found->second;
        CheckCall(node, called);
        const Extent body = MeasureFunction(called, depth);
        all.nodes += body.nodes;
        all.calls += body.calls + 1;
        all.depth = std::max(all.depth, body.depth + 1);
      }
      if (all.nodes > kMostNodes) {
        RefuseAsTooMuch("has functions that stand for more than " + std::to_string(kMostNodes) +
                        " nodes");
      }
      if (all.calls > kMostCalls) {
        RefuseAsTooMuch("has functions that stand for more than " + std::to_string(kMostCalls) +
                        " calls");
      }
    });
    if (depth + all.depth > kDeepestCalls) RefuseDepth();
    return all;
  }

 private:
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;

  static Key KeyOf(std::string_view domain, std::string_view name, std::string_view overload) {
    return {NormalDomain(domain), name, overload};
  }

  [[noreturn]] static void RefuseDepth() {
    RefuseAsTooMuch("has functions in more than " + std::to_string(kDeepestCalls) + " functions");
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

  std::map<Key, const Function*> functions_;
  std::unordered_map<const Function*, std::optional<Extent>> extents_;
};

}  // namespace

void CheckFunctions(const Model& model) {
  Calls calls(model);
  calls.Measure(model.graph.nodes, 0);
  // Those that nothing calls are read, too.
  for (const Function& function : model.functions) calls.Measure(function.nodes, 1);
}

}  // namespace tlsc::gate
