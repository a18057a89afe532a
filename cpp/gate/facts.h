#ifndef TLSC_GATE_FACTS_H_
#define TLSC_GATE_FACTS_H_

#include <cstdint>
#include <limits>
#include <optional>

#include "gate/model.h"

namespace tlsc::gate {

// How far a value reaches at the most; none: any number of axes, or of numbers.
struct Extent {
  std::optional<uint64_t> axes;
  std::optional<uint64_t> count;  // of its numbers
};

// The larger of two bounds; none is more than any number.
std::optional<uint64_t> Larger(const std::optional<uint64_t>& a, const std::optional<uint64_t>& b);

// Of values whose shapes are matched to each other.
Extent Broadcast(const Extent& a, const Extent& b);

// What is known of a value before the model runs, whatever the image. What is not known is any
// number, any extent; nothing here may say more than what is sure.
struct Fact {
  Extent extent;
  // Whole numbers of 32 or 64 bits lie between these, both included.
  int64_t lowest = std::numeric_limits<int64_t>::min();
  int64_t highest = std::numeric_limits<int64_t>::max();
};

// The same numbers, in a value that reaches so far.
Fact Reaching(Fact fact, const Extent& extent);

// What the file says of a constant. Up to 64 numbers in bytes are looked at.
Fact FactOf(const Tensor& tensor);

// Of a value that is one or the other.
Fact Either(const Fact& a, const Fact& b);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_FACTS_H_
