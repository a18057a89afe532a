#include "gate/facts.h"

#include <algorithm>

#include "gate/types.h"

namespace tlsc::gate {
namespace {

constexpr size_t kMostValuesRead = 64;

int64_t NumberIn(std::string_view bytes) {
  uint64_t bits = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bits |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return bytes.size() == 4 ? static_cast<int32_t>(bits) : static_cast<int64_t>(bits);
}

}  // namespace

std::optional<uint64_t> Larger(const std::optional<uint64_t>& a, const std::optional<uint64_t>& b) {
  return a && b ? std::max(a, b) : std::nullopt;
}

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

Fact FactOf(const Tensor& tensor) {
  const Fact any = Reaching(Fact(), {tensor.axes, tensor.count});
  const size_t width = tensor.data_type == kInt32 ? 4 : 8;
  if (tensor.data_type != kInt32 && tensor.data_type != kInt64) return any;
  if (tensor.is_external || tensor.raw.size() > kMostValuesRead * width) return any;
  // Where there are both, either may be what is read.
  Fact fact = any;
  fact.lowest = tensor.lowest_field;
  fact.highest = tensor.highest_field;
  for (size_t i = 0; i + width <= tensor.raw.size(); i += width) {
    const int64_t number = NumberIn(tensor.raw.substr(i, width));
    fact.lowest = std::min(fact.lowest, number);
    fact.highest = std::max(fact.highest, number);
  }
  return fact.lowest > fact.highest ? any : fact;
}

Fact Either(const Fact& a, const Fact& b) {
  const Extent extent = {Larger(a.extent.axes, b.extent.axes),
                         Larger(a.extent.count, b.extent.count)};
  return {extent, std::min(a.lowest, b.lowest), std::max(a.highest, b.highest)};
}

}  // namespace tlsc::gate
