#include "gate/structure.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

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

// The values that the graph takes from around it.
void AddCaptured(const Graph& graph, Names& captured);

void AddReads(const Node& node, Names& reads) {
  for (const std::string_view input : node.inputs) {
    if (!input.empty()) reads.insert(input);
  }
  for (const Attribute& attribute : node.attributes) {
    for (const Graph& graph : attribute.graphs) AddCaptured(graph, reads);
  }
}

void AddCaptured(const Graph& graph, Names& captured) {
  Names own = GivenTo(graph);
  for (const Node& node : graph.nodes) own.insert(node.outputs.begin(), node.outputs.end());
  Names reads;
  for (const Node& node : graph.nodes) AddReads(node, reads);
  for (const Value& output : graph.outputs) reads.insert(output.name);
  for (const std::string_view name : reads) {
    if (own.count(name) == 0) captured.insert(name);
  }
}

// A node that reads, through others, what it computes itself; null where there is none.
const Node* FindCircle(const std::vector<Node>& nodes) {
  std::unordered_map<std::string_view, size_t> producers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view output : nodes[i].outputs) {
      if (!output.empty()) producers.emplace(output, i);
    }
  }
  std::vector<std::vector<size_t>> readers(nodes.size());
  std::vector<size_t> waiting(nodes.size(), 0);  // values that are still to be computed
  std::vector<size_t> above(nodes.size(), 0);    // one node that it reads of
  for (size_t i = 0; i < nodes.size(); ++i) {
    Names reads;
    AddReads(nodes[i], reads);
    for (const std::string_view name : reads) {
      const auto producer = producers.find(name);
      if (producer == producers.end()) continue;
      readers[producer->second].push_back(i);
      ++waiting[i];
    }
  }
  std::vector<size_t> done;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waiting[i] == 0) done.push_back(i);
  }
  for (size_t next = 0; next < done.size(); ++next) {
    for (const size_t reader : readers[done[next]]) {
      if (--waiting[reader] == 0) done.push_back(reader);
    }
  }
  if (done.size() == nodes.size()) return nullptr;
  // What is left reads of circles: going up from any of it leads into one.
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waiting[i] == 0) continue;
    for (const size_t reader : readers[i]) above[reader] = i;
  }
  size_t node = 0;
  while (waiting[node] == 0) ++node;
  std::vector<bool> passed(nodes.size(), false);
  for (; !passed[node]; node = above[node]) passed[node] = true;
  return &nodes[node];
}

void CheckNodes(const std::vector<Node>& nodes, Names given) {
  CheckNames(nodes, std::move(given));
  if (const Node* circle = FindCircle(nodes)) Refuse("goes in a circle at " + LabelOf(*circle));
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
