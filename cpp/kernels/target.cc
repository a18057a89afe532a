#include "kernels/target.h"

#include <hwy/highway.h>

#include <cstdlib>
#include <string>

namespace tlsc {
namespace {

Status Choose() {
  const char* wanted = std::getenv("TLSC_TARGET");
  if (wanted == nullptr || *wanted == '\0') return {};
  std::string supported;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    const std::string name = hwy::TargetName(target);
    if (name == wanted) {
      hwy::SetSupportedTargetsForTest(target);
      hwy::GetChosenTarget().Update(hwy::SupportedTargets());
      return {};
    }
    supported += supported.empty() ? name : ", " + name;
  }
  return InvalidArgument("TLSC_TARGET", "one that is supported here (" + supported + ")", wanted);
}

}  // namespace

Status ChooseTarget() {
  static const Status& status = *new Status(Choose());
  return status;
}

const char* TargetName() {
  if (!ChooseTarget().ok()) return "";
  return hwy::TargetName(hwy::SupportedAndGeneratedTargets().front());  // the best comes first
}

}  // namespace tlsc
