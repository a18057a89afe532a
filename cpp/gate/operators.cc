#include "gate/operators.h"

#include <algorithm>

#include "gate/refusal.h"

namespace tlsc::gate {

void CheckOperators(const Model& model) {
  ForEachNode(model, [](const Node& node) {
    if (!NormalDomain(node.domain).empty()) return;
    const bool has_gap =
        std::find(node.outputs.begin(), node.outputs.end(), "") != node.outputs.end();
    if (node.op_type == "Split" && has_gap) {
      Refuse("has a Split that leaves out one of its parts, " + LabelOf(node));
    }
  });
}

}  // namespace tlsc::gate
