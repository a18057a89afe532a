#include "gate/lengths.h"

#include <algorithm>

namespace tlsc::gate {
namespace {

// Nodes behind each other, and values beside each other, that are looked at.
constexpr int kMostSteps = 4;
constexpr size_t kMostInputs = 8;

std::optional<uint64_t> LengthOfConstant(const Node& node) {
  if (node.attributes.size() != 1) return std::nullopt;
  const Attribute& value = node.attributes.front();
  if (!value.reference.empty()) return std::nullopt;
  if (!value.tensors.empty()) return value.tensors.front().count;
  if (value.name == "value_floats") return value.floats;
  if (value.name == "value_float") return 1;
  return std::nullopt;
}

}  // namespace

Lengths::Lengths(const std::vector<Node>& nodes) {
  for (const Node& node : nodes) {
    for (const std::string_view output : node.outputs) producers_.emplace(output, &node);
  }
}

Lengths::Lengths(const Graph& graph, const Lengths* around) : Lengths(graph.nodes) {
  around_ = around;
  for (const Tensor& tensor : graph.initializers) {
    // Which one of two of a name counts is not for us to say.
    uint64_t& length = constants_[tensor.name];
    length = std::max(length, tensor.count);
  }
}

std::optional<uint64_t> Lengths::Of(std::string_view value) const {
  return Find(value, kMostSteps);
}

std::optional<uint64_t> Lengths::Find(std::string_view value, int steps) const {
  if (steps == 0) return std::nullopt;
  const auto constant = constants_.find(value);
  if (constant != constants_.end()) return constant->second;
  const auto producer = producers_.find(value);
  if (producer != producers_.end()) return Computed(*producer->second, steps - 1);
  return around_ == nullptr ? std::nullopt : around_->Find(value, steps);
}

std::optional<uint64_t> Lengths::Computed(const Node& node, int steps) const {
  if (!NormalDomain(node.domain).empty()) return std::nullopt;
  if (node.op_type == "Constant") return LengthOfConstant(node);
  if (node.op_type == "Cast" || node.op_type == "Identity") {
    return node.inputs.empty() ? std::nullopt : Find(node.inputs.front(), steps);
  }
  if (node.op_type != "Concat" || node.inputs.size() > kMostInputs) return std::nullopt;
  uint64_t length = 0;
  for (const std::string_view input : node.inputs) {
    const std::optional<uint64_t> part = Find(input, steps);
    if (!part || *part > UINT32_MAX) return std::nullopt;
    length += *part;
  }
  return length;
}

}  // namespace tlsc::gate
