#ifndef TLSC_GATE_EXTERNAL_DATA_H_
#define TLSC_GATE_EXTERNAL_DATA_H_

#include <optional>
#include <string>

#include "gate/model.h"

namespace tlsc::gate {

// Values of tensors that lie in files lie in regular files of the folder, links in it followed, and
// within these. Without a folder there must be none. Throws Refusal, and std::system_error where
// the system does not tell.
void CheckExternalData(const Model& model, const std::optional<std::string>& folder);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_EXTERNAL_DATA_H_
