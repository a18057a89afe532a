#ifndef TLSC_GATE_FUNCTIONS_H_
#define TLSC_GATE_FUNCTIONS_H_

#include <string>
#include <unordered_map>

#include "gate/model.h"

namespace tlsc::gate {

// The model's own functions, by what calls name. Throws Refusal where two have one name.
class Functions {
 public:
  explicit Functions(const Model& model);

  // Null where the node calls none.
  const Function* CalledBy(const Node& node) const;

 private:
  std::unordered_map<std::string, const Function*> functions_;
};

// The model's own functions can be inlined: each is there once, none calls itself, and all they
// stand for is within the limits. Throws Refusal.
void CheckFunctions(const Model& model);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_FUNCTIONS_H_
