#include "errors.h"

namespace tlsc {

std::string_view NameOf(ErrorCode code) {
  for (const auto& [known, name] : kErrorCodes) {
    if (known == code) return name;
  }
  return "ERR_RUN_FAILED";
}

}  // namespace tlsc
