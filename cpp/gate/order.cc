#include "gate/order.h"

#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace tlsc::gate {
namespace {

using Names = std::unordered_set<std::string_view>;

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
  Names own;
  for (const Value& input : graph.inputs) own.insert(input.name);
  for (const Tensor& tensor : graph.initializers) own.insert(tensor.name);
  for (const SparseTensor& sparse : graph.sparse_initializers) own.insert(sparse.values.name);
  for (const Node& node : graph.nodes) own.insert(node.outputs.begin(), node.outputs.end());
  Names reads;
  for (const Node& node : graph.nodes) AddReads(node, reads);
  for (const Value& output : graph.outputs) reads.insert(output.name);
  for (const std::string_view name : reads) {
    if (own.count(name) == 0) captured.insert(name);
  }
}

}  // namespace

Order OrderOf(const std::vector<Node>& nodes) {
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
  Order order;
  std::vector<size_t>& done = order.nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waiting[i] == 0) done.push_back(i);
  }
  for (size_t next = 0; next < done.size(); ++next) {
    for (const size_t reader : readers[done[next]]) {
      if (--waiting[reader] == 0) done.push_back(reader);
    }
  }
  if (done.size() == nodes.size()) return order;
  // What is left reads of circles: going up from any of it leads into one.
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waiting[i] == 0) continue;
    for (const size_t reader : readers[i]) above[reader] = i;
  }
  size_t node = 0;
  while (waiting[node] == 0) ++node;
  std::vector<bool> passed(nodes.size(), false);
  for (; !passed[node]; node = above[node]) passed[node] = true;
  order.circle = &nodes[node];
  return order;
}

}  // namespace tlsc::gate
