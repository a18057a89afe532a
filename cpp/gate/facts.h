#ifndef TLSC_GATE_FACTS_H_
#define TLSC_GATE_FACTS_H_

#include <cstdint>
#include <limits>
#include <optional>

#include "gate/model.h"
#include "gate/types.h"

namespace tlsc::gate {

// How far a value reaches at the most; none: any number of axes, or of numbers.
struct Extent {
  std::optional<uint64_t> axes;
  std::optional<uint64_t> count;  // of its numbers
};

// Of values whose shapes are matched to each other.
Extent Broadcast(const Extent& a, const Extent& b);

// What is known of a value before the model runs, whatever the image. What is not known is any
// type, any number, any extent; nothing here may say more than what is sure.
struct Fact {
  int32_t type = kUndefined;  // of its numbers; kFloat: some type of floating point
  // The whole numbers that it may hold lie between these, both included. Everything for types
  // other than whole numbers, and for kUint64, whose numbers do not fit in here.
  int64_t lowest = std::numeric_limits<int64_t>::min();
  int64_t highest = std::numeric_limits<int64_t>::max();
  // Those that are not the smallest number of the type, which stands for the maximum of none, are
  // at least this.
  int64_t lowest_but_smallest = std::numeric_limits<int64_t>::min();
  Extent extent;
};

Fact Reaching(Fact fact, const Extent& extent);

// Any number of the type.
Fact AnyOf(int32_t type);

// Whole numbers of the type; any of them where these are not in its range, since those that a
// computation makes wrap around.
Fact Between(int32_t type, int64_t lowest, int64_t highest);

// What the file says of a constant. Up to 64 numbers in bytes are looked at.
Fact FactOf(const Tensor& tensor);

// Of the maximum of such numbers, of which there may be none.
Fact OrSmallest(const Fact& a);

// Of a value that is one or the other.
Fact Either(const Fact& a, const Fact& b);

// Of a value that is converted, as Cast does it.
Fact Converted(const Fact& from, int32_t type);

// Of values that are computed number by number, as the operators of ONNX with these names do.
Fact Add(const Fact& a, const Fact& b);
Fact Sub(const Fact& a, const Fact& b);
Fact Mul(const Fact& a, const Fact& b);
Fact Div(const Fact& a, const Fact& b);
Fact Mod(const Fact& a, const Fact& b);  // with the sign of the divisor
Fact Max(const Fact& a, const Fact& b);
Fact Min(const Fact& a, const Fact& b);
Fact Abs(const Fact& a);

// Whether the processor stops the process at the division: whole numbers of 32 or 64 bits, the
// smallest by -1. Of 0 as the divisor ONNX Runtime takes care.
bool MayTrap(const Fact& dividend, const Fact& divisor);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_FACTS_H_
