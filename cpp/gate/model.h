#ifndef TLSC_GATE_MODEL_H_
#define TLSC_GATE_MODEL_H_

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What of a model the checks look at. Every view is into the bytes of the file.
namespace tlsc::gate {

// Values and attributes of the numbers of ONNX's messages; sizes and counts end at UINT64_MAX
// where they would go beyond.

struct Tensor {
  std::string_view name;
  int32_t data_type = 0;
  uint64_t axes = 0;
  uint64_t count = 1;  // as the sizes of its axes have it
  bool has_negative_size = false;
  std::string_view raw;  // values as bytes
  uint64_t fields = 0;   // values in fields of their type
  // Of the whole numbers in fields of 32 and 64 bits.
  int64_t lowest_field = std::numeric_limits<int64_t>::max();
  int64_t highest_field = std::numeric_limits<int64_t>::min();
  bool is_external = false;
  // As they are written; none where they are not.
  std::optional<std::string_view> location;
  std::optional<std::string_view> offset;
  std::optional<std::string_view> length;
};

struct SparseTensor {
  Tensor values;
  Tensor indices;
  uint64_t count = 1;  // with its zeros
  bool has_negative_size = false;
};

// An input or output of a graph.
struct Value {
  std::string_view name;
  bool has_free_side = false;
  std::optional<uint64_t> axes;  // none: it does not say
  uint64_t count = 1;            // at least: sizes that are free count as 1
};

struct Graph;

struct Attribute {
  std::string_view name;
  std::string_view reference;  // to an attribute of the function around it
  int32_t type = 0;            // which of its fields counts
  std::optional<int64_t> integer;
  uint64_t integers = 0;  // how many, and between which they lie
  int64_t lowest_integer = std::numeric_limits<int64_t>::max();
  int64_t highest_integer = std::numeric_limits<int64_t>::min();
  uint64_t floats = 0;  // how many
  std::vector<Tensor> tensors;
  std::vector<SparseTensor> sparse_tensors;
  std::vector<Graph> graphs;
};

struct Node {
  std::string_view name;
  std::string_view op_type;
  std::string_view domain;
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<Attribute> attributes;
};

struct Graph {
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::vector<Tensor> initializers;
  std::vector<SparseTensor> sparse_initializers;
  std::vector<Node> nodes;
};

struct Function {
  std::string_view name;
  std::string_view domain;
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<Attribute> attributes;  // those with a default
  std::vector<Node> nodes;
};

struct Model {
  int64_t ir_version = 0;
  Graph graph;
  std::vector<Function> functions;
};

// Reads the bytes of a file. Throws Refusal where they are no ONNX model, or hold more than the
// limits allow; stops early, with whatever was read so far, once `cancelled`.
Model ReadModel(std::string_view bytes, const std::atomic<bool>& cancelled);

// Null where the node has none of the name.
const Attribute* FindAttribute(const Node& node, std::string_view name);

// How messages speak of a node: its name, else its operator and what it computes.
std::string LabelOf(const Node& node);

// The default domain of ONNX goes by two names; this is the first for both.
std::string_view NormalDomain(std::string_view domain);

// Calls `visit` for each of the nodes and for those in their graphs, outer ones first.
template <typename Visit>
void ForEachNode(const std::vector<Node>& nodes, const Visit& visit) {
  for (const Node& node : nodes) {
    visit(node);
    for (const Attribute& attribute : node.attributes) {
      for (const Graph& graph : attribute.graphs) ForEachNode(graph.nodes, visit);
    }
  }
}

// The same for every node of the model.
template <typename Visit>
void ForEachNode(const Model& model, const Visit& visit) {
  ForEachNode(model.graph.nodes, visit);
  for (const Function& function : model.functions) ForEachNode(function.nodes, visit);
}

}  // namespace tlsc::gate

#endif  // TLSC_GATE_MODEL_H_
