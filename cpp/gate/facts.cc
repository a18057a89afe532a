#include "gate/facts.h"

#include <algorithm>

namespace tlsc::gate {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

constexpr size_t kMostValuesRead = 64;

// A bound that may be beyond all numbers: none then.
using Bound = std::optional<int64_t>;

Bound Sum(int64_t a, int64_t b) {
  if (b > 0 ? a > kMost - b : a < kLeast - b) return std::nullopt;
  return a + b;
}

Bound Difference(int64_t a, int64_t b) {
  if (b < 0 ? a > kMost + b : a < kLeast + b) return std::nullopt;
  return a - b;
}

Bound Product(int64_t a, int64_t b) {
  if (a == 0 || b == 0) return 0;
  if (a == kLeast || b == kLeast) return std::nullopt;
  const int64_t size_a = a < 0 ? -a : a;
  const int64_t size_b = b < 0 ? -b : b;
  if (size_a > kMost / size_b) return std::nullopt;
  return a * b;
}

struct Range {
  int64_t lowest;
  int64_t highest;
};

// None for what is no whole number, or does not fit in 64 bits with a sign.
std::optional<Range> RangeOf(int32_t type) {
  switch (type) {
    case kBool:
      return Range{0, 1};
    case kUint2:
      return Range{0, 3};
    case kInt2:
      return Range{-2, 1};
    case kUint4:
      return Range{0, 15};
    case kInt4:
      return Range{-8, 7};
    case kUint8:
      return Range{0, UINT8_MAX};
    case kInt8:
      return Range{INT8_MIN, INT8_MAX};
    case kUint16:
      return Range{0, UINT16_MAX};
    case kInt16:
      return Range{INT16_MIN, INT16_MAX};
    case kUint32:
      return Range{0, UINT32_MAX};
    case kInt32:
      return Range{INT32_MIN, INT32_MAX};
    case kInt64:
      return Range{kLeast, kMost};
    default:
      return std::nullopt;
  }
}

Fact Within(int32_t type, const Bound& lowest, const Bound& highest) {
  return lowest && highest ? Between(type, *lowest, *highest) : AnyOf(type);
}

// Operands have one type: where that of one is known, it is that of both.
int32_t TypeOf(const Fact& a, const Fact& b) { return a.type == kUndefined ? b.type : a.type; }

// How far from 0 a number may be; none where that is beyond all.
Bound SizeOf(const Fact& a) {
  return a.lowest == kLeast ? Bound() : std::max(-std::min<int64_t>(a.lowest, 0), a.highest);
}

int64_t NumberIn(std::string_view bytes) {
  uint64_t bits = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bits |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return bytes.size() == 4 ? static_cast<int32_t>(bits) : static_cast<int64_t>(bits);
}

// None is more than any number.
std::optional<uint64_t> Larger(const std::optional<uint64_t>& a, const std::optional<uint64_t>& b) {
  return a && b ? std::max(a, b) : std::nullopt;
}

}  // namespace

Extent Broadcast(const Extent& a, const Extent& b) {
  const std::optional<uint64_t> axes = Larger(a.axes, b.axes);
  if (!a.count || !b.count) return {axes, std::nullopt};
  if (axes && *axes <= 1) return {axes, Larger(a.count, b.count)};
  const bool is_sure = *a.count <= UINT32_MAX && *b.count <= UINT32_MAX;
  return {axes, is_sure ? std::optional<uint64_t>(*a.count * *b.count) : std::nullopt};
}

Fact Reaching(Fact fact, const Extent& extent) {
  fact.extent = extent;
  return fact;
}

Fact AnyOf(int32_t type) {
  Fact fact;
  fact.type = type;
  if (const std::optional<Range> range = RangeOf(type)) {
    fact.lowest = range->lowest;
    fact.highest = range->highest;
    fact.lowest_but_smallest = range->lowest;
  }
  return fact;
}

Fact Between(int32_t type, int64_t lowest, int64_t highest) {
  Fact fact = AnyOf(type);
  if (!RangeOf(type) || lowest < fact.lowest || highest > fact.highest) return fact;
  fact.lowest = lowest;
  fact.highest = highest;
  fact.lowest_but_smallest = lowest;
  return fact;
}

Fact FactOf(const Tensor& tensor) {
  const Fact any = Reaching(AnyOf(tensor.data_type), {tensor.axes, tensor.count});
  const size_t width = tensor.data_type == kInt32 ? 4 : 8;
  if (tensor.data_type != kInt32 && tensor.data_type != kInt64) return any;
  if (tensor.is_external || tensor.raw.size() > kMostValuesRead * width) return any;
  // Where there are both, either may be what is read.
  int64_t lowest = tensor.lowest_field;
  int64_t highest = tensor.highest_field;
  for (size_t i = 0; i + width <= tensor.raw.size(); i += width) {
    const int64_t number = NumberIn(tensor.raw.substr(i, width));
    lowest = std::min(lowest, number);
    highest = std::max(highest, number);
  }
  if (lowest > highest) return any;
  return Reaching(Between(tensor.data_type, lowest, highest), {tensor.axes, tensor.count});
}

Fact OrSmallest(const Fact& a) {
  Fact fact = a;
  fact.lowest = AnyOf(a.type).lowest;
  return fact;
}

Fact Either(const Fact& a, const Fact& b) {
  const Extent extent = {Larger(a.extent.axes, b.extent.axes),
                         Larger(a.extent.count, b.extent.count)};
  if (a.type != b.type) return Reaching(Fact(), extent);
  Fact fact = Between(a.type, std::min(a.lowest, b.lowest), std::max(a.highest, b.highest));
  fact.lowest_but_smallest = std::min(a.lowest_but_smallest, b.lowest_but_smallest);
  return Reaching(fact, extent);
}

Fact Converted(const Fact& from, int32_t type) {
  // A number that is not finite, or has no end of digits, becomes any.
  const Fact to = RangeOf(from.type) ? Between(type, from.lowest, from.highest) : AnyOf(type);
  return Reaching(to, from.extent);
}

Fact Add(const Fact& a, const Fact& b) {
  return Reaching(Within(TypeOf(a, b), Sum(a.lowest, b.lowest), Sum(a.highest, b.highest)),
                  Broadcast(a.extent, b.extent));
}

Fact Sub(const Fact& a, const Fact& b) {
  return Reaching(
      Within(TypeOf(a, b), Difference(a.lowest, b.highest), Difference(a.highest, b.lowest)),
      Broadcast(a.extent, b.extent));
}

Fact Mul(const Fact& a, const Fact& b) {
  const Bound corners[] = {Product(a.lowest, b.lowest), Product(a.lowest, b.highest),
                           Product(a.highest, b.lowest), Product(a.highest, b.highest)};
  Bound lowest = corners[0];
  Bound highest = corners[0];
  for (const Bound& corner : corners) {
    // None is less than any number: one that is beyond all leaves none.
    lowest = std::min(lowest, corner);
    highest = corner && highest ? std::max(highest, corner) : std::nullopt;
  }
  return Reaching(Within(TypeOf(a, b), lowest, highest), Broadcast(a.extent, b.extent));
}

Fact Div(const Fact& a, const Fact& b) {
  const int32_t type = TypeOf(a, b);
  const Extent extent = Broadcast(a.extent, b.extent);
  if (b.lowest < 0) {
    const Bound size = SizeOf(a);
    return Reaching(size ? Between(type, -*size, *size) : AnyOf(type), extent);
  }
  const int64_t least = std::max<int64_t>(b.lowest, 1);
  const int64_t most = std::max<int64_t>(b.highest, 1);
  return Reaching(Between(type, a.lowest / (a.lowest < 0 ? least : most),
                          a.highest / (a.highest < 0 ? most : least)),
                  extent);
}

Fact Mod(const Fact& a, const Fact& b) {
  const int64_t lowest = std::min<int64_t>(b.lowest, -1) + 1;
  const int64_t highest = std::max<int64_t>(b.highest, 1) - 1;
  return Reaching(Between(TypeOf(a, b), lowest, highest), Broadcast(a.extent, b.extent));
}

Fact Max(const Fact& a, const Fact& b) {
  return Reaching(
      Between(TypeOf(a, b), std::max(a.lowest, b.lowest), std::max(a.highest, b.highest)),
      Broadcast(a.extent, b.extent));
}

Fact Min(const Fact& a, const Fact& b) {
  Fact fact = Between(TypeOf(a, b), std::min(a.lowest, b.lowest), std::min(a.highest, b.highest));
  fact.lowest_but_smallest = std::min(a.lowest_but_smallest, b.lowest_but_smallest);
  return Reaching(fact, Broadcast(a.extent, b.extent));
}

Fact Abs(const Fact& a) {
  const Bound size = SizeOf(a);
  if (!size) return Reaching(AnyOf(a.type), a.extent);
  const int64_t lowest = a.lowest > 0 ? a.lowest : a.highest < 0 ? -a.highest : 0;
  return Reaching(Between(a.type, lowest, *size), a.extent);
}

bool MayTrap(const Fact& dividend, const Fact& divisor) {
  const int32_t type = TypeOf(dividend, divisor);
  if (type != kUndefined && type != kInt32 && type != kInt64) return false;
  if (divisor.lowest_but_smallest > -1 || divisor.highest < -1) return false;
  return dividend.lowest <= (type == kInt64 ? kLeast : INT32_MIN);
}

}  // namespace tlsc::gate
