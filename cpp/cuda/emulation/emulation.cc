#include "cuda/emulation/emulation.h"

#include <cstdlib>
#include <string>

namespace tlsc::cuda {
namespace {

size_t SizeFrom(const char* variable, size_t otherwise) {
  const char* value = std::getenv(variable);
  return value == nullptr ? otherwise : std::stoul(value);
}

}  // namespace

DeviceLimits EmulatedDevice() {
  return {SizeFrom("TLSC_EMULATED_MULTIPROCESSORS", 4),
          SizeFrom("TLSC_EMULATED_SHARED_BYTES", size_t{48} << 10)};
}

bool EmulatesFloat64() {
  const char* sums = std::getenv("TLSC_EMULATED_SUMS");
  return sums != nullptr && std::string(sums) == "float64";
}

}  // namespace tlsc::cuda
