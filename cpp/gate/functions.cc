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
  size_t depth = 0;   // of calls in calls
  size_t graphs = 0;  // in each other
};

// As ONNX Runtime makes one name of three: what is the same to it must be so here.
std::string KeyOf(std::string_view domain, std::string_view name, std::string_view overload) {
  std::string key(NormalDomain(domain));
  key.append(1, ':').append(name);
  return overload.empty() ? key : key.append(1, ':').append(overload);
}

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
    Add(nodes, depth, 0, all);
    if (depth + all.depth > kDeepestCalls) RefuseDepth();
    return all;
  }

 private:
  [[noreturn]] static void RefuseDepth() {
    RefuseAsUnsupported("has functions in more than " + std::to_string(kDeepestCalls) +
                        " functions");
  }

  // The nodes of a graph that lies in `graphs` others.
  void Add(const std::vector<Node>& nodes, size_t depth, size_t graphs, Extent& all) {
    all.graphs = std::max(all.graphs, graphs);
    for (const Node& node : nodes) {
      ++all.nodes;
      all.parts += PartsOf(node);
      if (const Function* called = functions_.CalledBy(node)) {
        CheckCall(node, *called);
        const Extent body = MeasureFunction(*called, depth);
        all.nodes += body.nodes;
        all.parts += body.parts + called->attributes.size();
        all.calls += body.calls + 1;
        all.depth = std::max(all.depth, body.depth + 1);
        all.graphs = std::max(all.graphs, graphs + body.graphs);
      }
      CheckExtent(all);
      for (const Attribute& attribute : node.attributes) {
        for (const Graph& graph : attribute.graphs) Add(graph.nodes, depth, graphs + 1, all);
      }
    }
  }

  static void CheckExtent(const Extent& all) {
    const auto check = [](size_t count, size_t most, const char* what) {
      if (count <= most) return;
      RefuseAsUnsupported("has functions that stand for more than " + std::to_string(most) + what);
    };
    check(all.nodes, kMostNodes, " nodes");
    check(all.calls, kMostCalls, " calls");
    check(all.parts, kMostParts, " parts");
    check(all.graphs, kDeepestGraphs, " graphs in each other");
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
    const std::string key = KeyOf(function.domain, function.name, function.overload);
    if (!functions_.emplace(key, &function).second) {
      Refuse("has two functions named " + Shown(function.name));
    }
  }
}

const Function* Functions::CalledBy(const Node& node) const {
  if (functions_.empty()) return nullptr;
  const auto found = functions_.find(KeyOf(node.domain, node.op_type, node.overload));
  return found == functions_.end() ? nullptr : found->second;
}

void CheckFunctions(const Model& model) {
  Calls calls(model);
  calls.Measure(model.graph.nodes, 0);
  // Those that nothing calls are read, too.
  for (const Function& function : model.functions) calls.Measure(function.nodes, 1);
}

}  // namespace tlsc::gate
