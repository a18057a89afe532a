#ifndef TLSC_BASE_FLOAT16_H_
#define TLSC_BASE_FLOAT16_H_

#include <cstdint>

namespace tlsc {

// An element of a float16 tensor, IEEE 754 binary16.
struct Float16 {
  uint16_t bits;
};

}  // namespace tlsc

#endif  // TLSC_BASE_FLOAT16_H_
