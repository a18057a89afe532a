#include "gate/facts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <ostream>
#include <vector>

namespace tlsc::gate {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// Numbers as ONNX Runtime computes them: what is beyond the type wraps around.
int64_t Wrapped(int32_t type, uint64_t number) {
  return type == kInt32 ? static_cast<int32_t>(number) : static_cast<int64_t>(number);
}

int64_t SmallestOf(int32_t type) { return type == kInt32 ? INT32_MIN : kLeast; }

std::vector<int64_t> NumbersOf(int32_t type) {
  const int64_t least = SmallestOf(type);
  const int64_t most = type == kInt32 ? INT32_MAX : kMost;
  return {least, least + 1, -7, -2, -1, 0, 1, 2, 7, most - 1, most};
}

bool Holds(const Fact& fact, int64_t number) {
  if (number < fact.lowest || number > fact.highest) return false;
  return number == SmallestOf(fact.type) || number >= fact.lowest_but_smallest;
}

struct Operator {
  const char* name;
  Fact (*fact)(const Fact& a, const Fact& b);
  uint64_t (*number)(int64_t a, int64_t b);
};

std::ostream& operator<<(std::ostream& out, const Operator& one) { return out << one.name; }

uint64_t Unsigned(int64_t number) { return static_cast<uint64_t>(number); }

// Rounds towards minus infinity, as Mod does without fmod.
int64_t Remainder(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

const Operator kOperators[] = {
    {"Add", Add, [](int64_t a, int64_t b) { return Unsigned(a) + Unsigned(b); }},
    {"Sub", Sub, [](int64_t a, int64_t b) { return Unsigned(a) - Unsigned(b); }},
    {"Mul", Mul, [](int64_t a, int64_t b) { return Unsigned(a) * Unsigned(b); }},
    {"Div", Div, [](int64_t a, int64_t b) { return Unsigned(a / b); }},
    {"Mod", Mod, [](int64_t a, int64_t b) { return Unsigned(Remainder(a, b)); }},
    {"Max", Max, [](int64_t a, int64_t b) { return Unsigned(std::max(a, b)); }},
    {"Min", Min, [](int64_t a, int64_t b) { return Unsigned(std::min(a, b)); }},
    {"Either", Either, [](int64_t a, int64_t) { return Unsigned(a); }},
    {"Abs", [](const Fact& a, const Fact&) { return Abs(a); },
     [](int64_t a, int64_t) { return a < 0 ? 0 - Unsigned(a) : Unsigned(a); }},
};

// Ranges between any two of the numbers, each once more with the smallest of the type besides.
std::vector<Fact> FactsOf(int32_t type) {
  const std::vector<int64_t> numbers = NumbersOf(type);
  std::vector<Fact> facts;
  for (size_t lowest = 0; lowest < numbers.size(); ++lowest) {
    for (size_t highest = lowest; highest < numbers.size(); ++highest) {
      facts.push_back(Between(type, numbers[lowest], numbers[highest]));
      facts.push_back(OrSmallest(facts.back()));
    }
  }
  return facts;
}

class FactsOfOperators : public testing::TestWithParam<Operator> {};

TEST_P(FactsOfOperators, HoldWhateverIsComputed) {
  const Operator& one = GetParam();
  const bool divides = one.fact == Div || one.fact == Mod;
  for (const int32_t type : {kInt32, kInt64}) {
    const std::vector<Fact> facts = FactsOf(type);
    for (const Fact& a : facts) {
      for (const Fact& b : facts) {
        const Fact result = one.fact(a, b);
        EXPECT_EQ(result.type, type);
        bool traps = false;
        for (const int64_t x : NumbersOf(type)) {
          for (const int64_t y : NumbersOf(type)) {
            if (!Holds(a, x) || !Holds(b, y)) continue;
            if (divides && y == -1 && x == SmallestOf(type)) traps = true;
            if (divides && (y == 0 || (y == -1 && x == kLeast))) continue;
            const int64_t z = Wrapped(type, one.number(x, y));
            ASSERT_TRUE(Holds(result, z)) << x << ", " << y << ": " << z << " is not between "
                                          << result.lowest << " and " << result.highest;
          }
        }
        if (divides) {
          ASSERT_EQ(MayTrap(a, b), traps)
              << a.lowest << " … " << a.highest << " by " << b.lowest << " … " << b.highest;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FactsOfOperators, testing::ValuesIn(kOperators));

TEST(Facts, KnowWhatIsNotBeyondTheType) {
  const Fact sum = Add(Between(kInt64, 1, 5), Between(kInt64, -2, 7));
  EXPECT_EQ(sum.lowest, -1);
  EXPECT_EQ(sum.highest, 12);
  const Fact quotient = Div(Between(kInt64, -9, 20), Between(kInt64, 2, 4));
  EXPECT_EQ(quotient.lowest, -4);
  EXPECT_EQ(quotient.highest, 10);
  const Fact size = Converted(Between(kInt64, 0, 300), kInt32);
  EXPECT_EQ(size.type, kInt32);
  EXPECT_EQ(size.highest, 300);
  EXPECT_EQ(Converted(Between(kInt64, 0, 300), kInt8).lowest, INT8_MIN);
  EXPECT_EQ(Converted(AnyOf(kFloat), kInt32).lowest, INT32_MIN);
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
