#include "gate/facts.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "gate/types.h"

namespace tlsc::gate {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(Facts, AreOfOneValueOrAnother) {
  const Fact fact = Either({{1, 2}, -3, 4}, {{2, 1}, 0, 9});
  EXPECT_EQ(fact.extent.axes, 2u);
  EXPECT_EQ(fact.extent.count, 2u);
  EXPECT_EQ(fact.lowest, -3);
  EXPECT_EQ(fact.highest, 9);
  EXPECT_EQ(Either({{1, 2}, 0, 0}, Fact()).extent.count, std::nullopt);
  EXPECT_EQ(Either({{1, 2}, 0, 0}, Fact()).lowest, kLeast);
}

TEST(Facts, AreOfConstants) {
  Tensor tensor;
  tensor.data_type = kInt64;
  tensor.axes = 1;
  tensor.count = 2;
  tensor.lowest_field = -3;
  tensor.highest_field = 8;
  EXPECT_EQ(FactOf(tensor).lowest, -3);
  EXPECT_EQ(FactOf(tensor).highest, 8);
  EXPECT_EQ(FactOf(tensor).extent.count, 2u);
  // In bytes, the least significant first.
  tensor.raw = std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x09\0\0\0\0\0\0\0", 16);
  EXPECT_EQ(FactOf(tensor).highest, 9);
  tensor.is_external = true;
  EXPECT_EQ(FactOf(tensor).lowest, kLeast);
  EXPECT_EQ(FactOf(tensor).highest, kMost);
}

TEST(Extents, AreOfShapesThatAreMatched) {
  const Extent list = {1, 4};
  EXPECT_EQ(Broadcast(list, {0, 1}).count, 4u);
  EXPECT_EQ(Broadcast(list, list).count, 4u);
  // A row and a column make a plane.
  EXPECT_EQ(Broadcast({2, 4}, {2, 3}).count, 12u);
  EXPECT_EQ(Broadcast(list, {2, 3}).axes, 2u);
  EXPECT_EQ(Broadcast(list, {}).count, std::nullopt);
  EXPECT_EQ(Broadcast({4, uint64_t{1} << 40}, {4, uint64_t{1} << 40}).count, std::nullopt);
}

}  // namespace
}  // namespace tlsc::gate
