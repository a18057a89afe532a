#include "gate/follow.h"

#include <unordered_set>
#include <utility>

#include "gate/functions.h"
#include "gate/order.h"

namespace tlsc::gate {
namespace {

// From this version of the file's format on, what is fed may take the place of an initializer that
// is an input, too.
constexpr int64_t kFedInitializers = 4;

// The values of a graph, or of one call of a function.
struct Scope {
  const Scope* around = nullptr;  // of the graph that this one is in; null: none
  const Attributes* of_call = nullptr;
  std::unordered_map<std::string_view, Fact> facts;

  Fact Find(std::string_view name) const {
    if (name.empty()) return {};
    for (const Scope* scope = this; scope != nullptr; scope = scope->around) {
      const auto found = scope->facts.find(name);
      if (found != scope->facts.end()) return found->second;
    }
    return {};
  }
};

class Follower {
 public:
  Follower(const Model& model, const std::function<void(const Step&)>& visit,
           const std::atomic<bool>& cancelled)
      : functions_(model), visit_(visit), cancelled_(cancelled) {}

  void FollowModel(const Model& model) {
    Scope scope;
    FillScope(model.graph, model.ir_version >= kFedInitializers, scope);
    // ONNX Runtime lets nothing in that has not the axes and sides which the model declares; none
    // are as good as no declaration.
    for (const Value& input : model.graph.inputs) {
      Extent& extent = scope.facts[input.name].extent;
      if (extent.axes || !input.axes || *input.axes == 0) continue;
      extent.axes = input.axes;
      if (!input.has_free_side) extent.count = input.count;
    }
    FollowNodes(model.graph.nodes, scope);
  }

 private:
  static void FillScope(const Graph& graph, bool feeds_initializers, Scope& scope) {
    for (const Tensor& tensor : graph.initializers) {
      const Fact fact = FactOf(tensor);
      const auto [entry, is_new] = scope.facts.emplace(tensor.name, fact);
      // Which one of two of a name counts is not for us to say.
      if (!is_new) entry->second = Either(entry->second, fact);
    }
    for (const SparseTensor& sparse : graph.sparse_initializers) {
      scope.facts[sparse.values.name] = {};
    }
    for (const Value& input : graph.inputs) {
      const auto [entry, is_new] = scope.facts.emplace(input.name, Fact());
      if (!is_new && feeds_initializers) entry->second = {};
    }
  }

  void FollowNodes(const std::vector<Node>& nodes, Scope& scope) {
    auto [order, is_new] = orders_.try_emplace(&nodes);
    if (is_new) order->second = OrderOf(nodes).nodes;
    scope.facts.reserve(scope.facts.size() + nodes.size());
    for (const size_t place : order->second) {
      if (cancelled_.load(std::memory_order_relaxed)) return;
      const Node& node = nodes[place];
      const std::vector<Fact> results = FollowNode(node, scope);
      for (size_t i = 0; i < node.outputs.size(); ++i) scope.facts[node.outputs[i]] = results[i];
    }
  }

  // Of what the node computes, as many as its outputs.
  std::vector<Fact> FollowNode(const Node& node, const Scope& scope) {
    Step step{node, scope.of_call, {}};
    step.inputs.reserve(node.inputs.size());
    for (const std::string_view input : node.inputs) step.inputs.push_back(scope.Find(input));
    visit_(step);
    if (const Function* called = functions_.CalledBy(node)) return FollowCall(step, *called);
    return HoldsGraphs(node) ? FollowGraphs(node, scope) : ResultsOf(step);
  }

  static bool HoldsGraphs(const Node& node) {
    for (const Attribute& attribute : node.attributes) {
      if (!attribute.graphs.empty()) return true;
    }
    return false;
  }

  std::vector<Fact> FollowCall(const Step& call, const Function& called) {
    Scope scope;
    for (size_t i = 0; i < call.inputs.size(); ++i) scope.facts[called.inputs[i]] = call.inputs[i];
    Attributes attributes;
    for (const Attribute& attribute : called.attributes) attributes[attribute.name] = &attribute;
    for (const Attribute& attribute : call.node.attributes) {
      if (const Attribute* handed = Resolve(attribute, call.of_call)) {
        attributes[attribute.name] = handed;
      }
      // Graphs that are handed over run somewhere in the body.
      for (const Graph& graph : attribute.graphs) FollowGraph(graph, Scope());
    }
    scope.of_call = &attributes;
    FollowNodes(called.nodes, scope);
    std::vector<Fact> results(call.node.outputs.size());
    // Of two meanings of a name in ONNX's own domain, ONNX Runtime may take its own.
    if (NormalDomain(called.domain).empty()) return results;
    for (size_t i = 0; i < results.size(); ++i) results[i] = scope.Find(called.outputs[i]);
    return results;
  }

  // Of its outputs.
  std::vector<Fact> FollowGraph(const Graph& graph, const Scope& around) {
    Scope scope;
    scope.around = &around;
    scope.of_call = around.of_call;
    FillScope(graph, true, scope);
    FollowNodes(graph.nodes, scope);
    std::vector<Fact> outputs;
    outputs.reserve(graph.outputs.size());
    for (const Value& output : graph.outputs) outputs.push_back(scope.Find(output.name));
    return outputs;
  }

  std::vector<Fact> FollowGraphs(const Node& node, const Scope& scope) {
    std::vector<std::vector<Fact>> outputs;
    for (const Attribute& attribute : node.attributes) {
      for (const Graph& graph : attribute.graphs) outputs.push_back(FollowGraph(graph, scope));
    }
    std::vector<Fact> results(node.outputs.size());
    if (!NormalDomain(node.domain).empty()) return results;
    for (size_t i = 0; i < results.size(); ++i) results[i] = ResultOf(node, outputs, i);
    return results;
  }

  static Fact ResultOf(const Node& node, const std::vector<std::vector<Fact>>& graphs,
                       size_t place) {
    const auto output = [](const std::vector<Fact>& of, size_t at) {
      return at < of.size() ? of[at] : Fact();
    };
    if (node.op_type != "If" || graphs.size() != 2) return {};
    return Either(output(graphs[0], place), output(graphs[1], place));
  }

  Functions functions_;
  const std::function<void(const Step&)>& visit_;
  const std::atomic<bool>& cancelled_;
  std::unordered_map<const std::vector<Node>*, std::vector<size_t>> orders_;
};

}  // namespace

void FollowFacts(const Model& model, const std::function<void(const Step&)>& visit,
                 const std::atomic<bool>& cancelled) {
  Follower(model, visit, cancelled).FollowModel(model);
}

}  // namespace tlsc::gate
