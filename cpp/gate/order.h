#ifndef TLSC_GATE_ORDER_H_
#define TLSC_GATE_ORDER_H_

#include <cstddef>
#include <vector>

#include "gate/model.h"

namespace tlsc::gate {

// An order in which each node comes after those that it reads of, itself or in its graphs; nodes of
// a file may come in any.
struct Order {
  std::vector<size_t> nodes;     // places of all that are in no circle, nor behind one
  const Node* circle = nullptr;  // reads, through others, what it computes itself; null: none
};

Order OrderOf(const std::vector<Node>& nodes);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_ORDER_H_
