#include "cuda/float_pair.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/test_support.h"

namespace tlsc::cuda {
namespace {

double Value(FloatPair pair) { return static_cast<double>(pair.high) + pair.low; }

// Of 48 binary digits.
constexpr double kRounding = 0x1p-46;

TEST(FloatPair, ComputesWithTwiceTheDigits) {
  const std::vector<float> values = RandomTensor(4000, -8.0f, 8.0f);
  for (size_t i = 0; i + 3 < values.size(); i += 4) {
    const FloatPair a = ExactSum(values[i], values[i + 1] * 0x1p-24f);
    const FloatPair b = ExactSum(values[i + 2], values[i + 3] * 0x1p-24f);
    const double size = std::abs(Value(a)) + std::abs(Value(b));
    EXPECT_NEAR(Value(a + b), Value(a) + Value(b), size * kRounding);
    EXPECT_NEAR(Value(a - b), Value(a) - Value(b), size * kRounding);
    EXPECT_NEAR(Value(a * b), Value(a) * Value(b), std::abs(Value(a) * Value(b)) * kRounding);
  }
}

TEST(FloatPair, TakesDifferencesAndProductsWithoutError) {
  const FloatPair difference = ExactDifference<FloatPair>(1e8f, 1.25f);
  EXPECT_EQ(Value(difference), 1e8 - 1.25);
  const FloatPair product = ExactProduct(1.0f + 0x1p-20f, 1.0f - 0x1p-21f);
  EXPECT_EQ(Value(product), (1.0 + 0x1p-20) * (1.0 - 0x1p-21));
}

TEST(FloatPair, KeepsARunningSumThatFloatsLose) {
  FloatPair sum;
  for (int i = 0; i < 100000; ++i) sum = sum + ExactSum(1000.1f, 0.0f);
  for (int i = 0; i < 99999; ++i) sum = sum - ExactSum(1000.1f, 0.0f);
  EXPECT_NEAR(Value(sum), 1000.1f, 1e-5);
  EXPECT_EQ(Value(MakeSum<FloatPair>(1.0 / 3.0)),
            static_cast<double>(1.0f / 3.0f) + static_cast<float>(1.0 / 3.0 - 1.0f / 3.0f));
}

TEST(FloatPair, ShowsWhatIsNotFinite) {
  EXPECT_TRUE(IsFinite(ExactSum(1.0f, 2.0f)));
  EXPECT_FALSE(IsFinite(ExactSum(kInfinity, 1.0f)));
  EXPECT_FALSE(IsFinite(ExactSum(kNaN, 1.0f)));
  EXPECT_FALSE(IsFinite(ExactSum(kInfinity, 1.0f) - ExactSum(kInfinity, 1.0f)));
}

}  // namespace
}  // namespace tlsc::cuda
