// The gate on any bytes: it lets through or refuses, in time that is linear in them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gate/gate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    tlsc::gate::Check({reinterpret_cast<const char*>(data), size}, ".", false);
  } catch (const tlsc::gate::Refusal&) {
  }
  return 0;
}
