#include "gate/tensors.h"

#include <limits>

#include "gate/limits.h"
#include "gate/refusal.h"
#include "gate/types.h"

namespace tlsc::gate {
namespace {

using Visit = std::function<void(const Tensor&, const std::string&)>;

// Bits of a value of the type; 0 where it has none.
uint32_t BitsOf(int32_t data_type) {
  switch (data_type) {
    case kUint2:
    case kInt2:
      return 2;
    case kUint4:
    case kInt4:
    case kFloat4E2M1:
      return 4;
    case kUint8:
    case kInt8:
    case kBool:
    case kFloat8E4M3FN:
    case kFloat8E4M3FNUZ:
    case kFloat8E5M2:
    case kFloat8E5M2FNUZ:
    case kFloat8E8M0:
      return 8;
    case kUint16:
    case kInt16:
    case kFloat16:
    case kBfloat16:
      return 16;
    case kFloat:
    case kInt32:
    case kUint32:
      return 32;
    case kInt64:
    case kDouble:
    case kUint64:
    case kComplex64:
      return 64;
    case kComplex128:
      return 128;
    default:
      return 0;
  }
}

uint64_t ValuesHeld(const Tensor& tensor, uint32_t bits) {
  if (!tensor.raw.empty()) return tensor.raw.size() * 8 / bits;
  if (tensor.data_type == kComplex64 || tensor.data_type == kComplex128) return tensor.fields / 2;
  return bits < 8 ? tensor.fields * (8 / bits) : tensor.fields;
}

void CheckTensor(const Tensor& tensor, const std::string& label) {
  if (tensor.has_negative_size) Refuse("has a tensor with a negative size, " + label);
  const uint32_t bits = BitsOf(tensor.data_type);
  if (tensor.is_external || (bits == 0 && tensor.data_type != kString)) return;
  const uint64_t held = bits == 0 ? tensor.fields : ValuesHeld(tensor, bits);
  if (tensor.count <= held) return;
  Refuse("says that " + label + " has " + std::to_string(tensor.count) + " values, which holds " +
         std::to_string(held));
}

void VisitSparse(const SparseTensor& sparse, const std::string& label, const Visit& visit) {
  visit(sparse.values, label);
  visit(sparse.indices, label);
}

void VisitAttributes(const std::vector<Attribute>& attributes, const std::string& label,
                     const Visit& visit);

void VisitGraph(const Graph& graph, const Visit& visit) {
  for (const Tensor& tensor : graph.initializers) {
    visit(tensor, "initializer " + Shown(tensor.name));
  }
  for (const SparseTensor& sparse : graph.sparse_initializers) {
    VisitSparse(sparse, "initializer " + Shown(sparse.values.name), visit);
  }
  for (const Node& node : graph.nodes) {
    VisitAttributes(node.attributes, "the constant of " + LabelOf(node), visit);
  }
}

void VisitAttributes(const std::vector<Attribute>& attributes, const std::string& label,
                     const Visit& visit) {
  for (const Attribute& attribute : attributes) {
    for (const Tensor& tensor : attribute.tensors) visit(tensor, label);
    for (const SparseTensor& sparse : attribute.sparse_tensors) VisitSparse(sparse, label, visit);
    for (const Graph& graph : attribute.graphs) VisitGraph(graph, visit);
  }
}

void CheckSparse(const SparseTensor& sparse) {
  if (sparse.has_negative_size) {
    Refuse("has a sparse tensor with a negative size, " + Shown(sparse.values.name));
  }
  if (sparse.count > kMostValues) {
    RefuseAsUnsupported("has a sparse tensor of more than " + std::to_string(kMostValues) +
                        " values, " + Shown(sparse.values.name));
  }
}

void CheckDeclared(const std::vector<Value>& values, const char* what) {
  for (const Value& value : values) {
    if (value.count <= kMostValues) continue;
    RefuseAsUnsupported(std::string("declares ") + what + " " + Shown(value.name) +
                        " with more than " + std::to_string(kMostValues) + " values");
  }
}

void CheckGraph(const Graph& graph) {
  CheckDeclared(graph.inputs, "input");
  CheckDeclared(graph.outputs, "output");
  for (const SparseTensor& sparse : graph.sparse_initializers) CheckSparse(sparse);
}

}  // namespace

std::optional<uint64_t> BytesOf(const Tensor& tensor) {
  const uint32_t bits = BitsOf(tensor.data_type);
  if (bits == 0) return std::nullopt;
  if (tensor.count > (std::numeric_limits<uint64_t>::max() - 7) / bits) {
    return std::numeric_limits<uint64_t>::max();
  }
  return (tensor.count * bits + 7) / 8;
}

void ForEachTensor(const Model& model, const Visit& visit) {
  VisitGraph(model.graph, visit);
  for (const Function& function : model.functions) {
    VisitAttributes(function.attributes, "a default of function " + Shown(function.name), visit);
    for (const Node& node : function.nodes) {
      VisitAttributes(node.attributes, "the constant of " + LabelOf(node), visit);
    }
  }
}

void CheckTensors(const Model& model) {
  ForEachTensor(model, CheckTensor);
  CheckGraph(model.graph);
  ForEachNode(model, [](const Node& node) {
    for (const Attribute& attribute : node.attributes) {
      for (const SparseTensor& sparse : attribute.sparse_tensors) CheckSparse(sparse);
      for (const Graph& graph : attribute.graphs) CheckGraph(graph);
    }
  });
}

}  // namespace tlsc::gate
