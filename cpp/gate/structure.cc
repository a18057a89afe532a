#include "gate/structure.h"

#include <unordered_set>
#include <utility>
#include <vector>

#include "gate/order.h"
#include "gate/refusal.h"

namespace tlsc::gate {
namespace {

using Names = std::unordered_set<std::string_view>;

void Define(Names& known, std::string_view name) {
  if (!name.empty() && !known.insert(name).second) Refuse("has two values named " + Shown(name));
}

// The values that are there before any node has run: of a graph's initializers some may be inputs,
// too.
Names GivenTo(const Graph& graph) {
  Names given;
  for (const Value& input : graph.inputs) Define(given, input.name);
  // One that is there twice is there once to ONNX Runtime, which warns of it.
  for (const Tensor& tensor : graph.initializers) given.insert(tensor.name);
  for (const SparseTensor& sparse : graph.sparse_initializers) given.insert(sparse.values.name);
  return given;
}

Names GivenTo(const Function& function) {
  Names given;
  for (const std::string_view input : function.inputs) Define(given, input);
  return given;
}

void CheckNames(const std::vector<Node>& nodes, Names known) {
  for (const Node& node : nodes) {
    for (const std::string_view output : node.outputs) Define(known, output);
  }
}

void CheckNodes(const std::vector<Node>& nodes, Names given) {
  CheckNames(nodes, std::move(given));
  if (const Node* circle = OrderOf(nodes).circle) Refuse("goes in a circle at " + LabelOf(*circle));
}

}  // namespace

void CheckStructure(const Model& model) {
  CheckNodes(model.graph.nodes, GivenTo(model.graph));
  for (const Function& function : model.functions) {
    const Names given = GivenTo(function);
    CheckNodes(function.nodes, given);
    // Where ONNX Runtime inlines it, names in its graphs are no longer names of their own.
    ForEachNode(function.nodes, [&](const Node& node) {
      for (const std::string_view output : node.outputs) {
        if (given.count(output) > 0) Refuse("has two values named " + Shown(output));
      }
    });
  }
  ForEachNode(model, [](const Node& node) {
    for (const Attribute& attribute : node.attributes) {
      for (const Graph& graph : attribute.graphs) CheckNodes(graph.nodes, GivenTo(graph));
    }
  });
}

}  // namespace tlsc::gate
