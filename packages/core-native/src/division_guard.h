#ifndef TLSC_CORE_NATIVE_DIVISION_GUARD_H_
#define TLSC_CORE_NATIVE_DIVISION_GUARD_H_

#include <cstddef>
#include <cstdint>

namespace tlsc {

// Division of whole numbers has no result where it is by 0, or of the smallest number by -1. Arm
// processors go on with some number then; x86 ones stop the process. A model can make ONNX Runtime
// do both, at any of its nodes: by what it hands to Div, or by tensors without values.
//
// From here on, such divisions in the code of the library that `function` belongs to give 0, and
// leave 0, on x86-64 under Linux; elsewhere this does nothing. Divisions in other code end as
// before: with whatever handler SIGFPE had. May be called for several libraries, never
// concurrently.
void GuardDivisions(const void* function);

// An instruction of x86-64 that divides whole numbers.
struct Division {
  size_t length;  // of the instruction, in bytes; 0: it is another one
  size_t bits;    // of what is divided by; of 8 quotient and rest are both in the register ax
};

// Reads no further than the instruction at `code`.
Division DecodeDivision(const uint8_t* code);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_DIVISION_GUARD_H_
