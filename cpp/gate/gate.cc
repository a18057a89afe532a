#include "gate/gate.h"

#include "gate/external_data.h"
#include "gate/functions.h"
#include "gate/model.h"
#include "gate/operators.h"
#include "gate/structure.h"
#include "gate/tensors.h"

namespace tlsc::gate {

void Check(std::string_view bytes, const std::optional<std::string>& folder,
           const std::atomic<bool>& cancelled) {
  const Model model = ReadModel(bytes, cancelled);
  if (cancelled) return;
  CheckTensors(model);
  CheckExternalData(model, folder);
  CheckFunctions(model);
  CheckStructure(model);
  CheckOperators(model, cancelled);
}

}  // namespace tlsc::gate
