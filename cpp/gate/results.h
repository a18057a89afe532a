#ifndef TLSC_GATE_RESULTS_H_
#define TLSC_GATE_RESULTS_H_

#include <string_view>
#include <unordered_map>
#include <vector>

#include "gate/facts.h"
#include "gate/model.h"

namespace tlsc::gate {

// What a call hands to the function, and what the function takes where it is not handed any, by
// name.
using Attributes = std::unordered_map<std::string_view, const Attribute*>;

// A node with what is known of it where it stands, once for each call that it is inlined for.
struct Step {
  const Node& node;
  const Attributes* of_call;  // null outside functions
  std::vector<Fact> inputs;   // as many as the node's

  // Of one that the node does not have: anything.
  Fact Input(size_t place) const { return place < inputs.size() ? inputs[place] : Fact(); }

  // The attribute of the name, or what it refers to; null where there is none.
  const Attribute* Find(std::string_view name) const;
};

// What stands for the attribute: itself, or what the call hands over where it is a reference; null
// where the call hands over none.
const Attribute* Resolve(const Attribute& attribute, const Attributes* of_call);

// Of what the node computes, as many as its outputs, by the operators of ONNX; of any other one:
// anything. Nodes that hold graphs, and those that call functions, are others.
std::vector<Fact> ResultsOf(const Step& step);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_RESULTS_H_
