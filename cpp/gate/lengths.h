#ifndef TLSC_GATE_LENGTHS_H_
#define TLSC_GATE_LENGTHS_H_

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gate/model.h"

namespace tlsc::gate {

// How many values a tensor has, where that is plain from the graph: those of constants, and of
// constants laid one behind the other.
class Lengths {
 public:
  // Of what a function computes.
  explicit Lengths(const std::vector<Node>& nodes);
  // Of what a graph computes; `around` is the graph or function that it is in, null: none.
  Lengths(const Graph& graph, const Lengths* around);

  std::optional<uint64_t> Of(std::string_view value) const;

 private:
  std::optional<uint64_t> Find(std::string_view value, int steps) const;
  std::optional<uint64_t> Computed(const Node& node, int steps) const;

  const Lengths* around_ = nullptr;
  std::unordered_map<std::string_view, const Node*> producers_;
  std::unordered_map<std::string_view, uint64_t> constants_;
};

}  // namespace tlsc::gate

#endif  // TLSC_GATE_LENGTHS_H_
