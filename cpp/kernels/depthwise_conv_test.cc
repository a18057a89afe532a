#include "kernels/depthwise_conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/depthwise_conv_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

constexpr Gate kGates[] = {Gate::kNone, Gate::kProduct, Gate::kGelu};

// Runs the kernel on x, rounded to T, and compares what comes out. x and y begin `offset` elements
// past where they would be aligned.
template <typename T>
void ExpectMatches(const NchwShape& shape, Gate gate, const std::vector<float>& values,
                   size_t offset) {
  const std::vector<T> rounded = RoundTo<T>(values);
  const std::vector<T> weights_of_t = RoundTo<T>(RandomTensor(9 * shape.channels, -1.0f, 1.0f, 2));
  const std::vector<T> bias_of_t = RoundTo<T>(RandomTensor(shape.channels, -1.0f, 1.0f, 3));
  const std::vector<float> x = ToFloats(rounded);
  const std::vector<float> weights = ToFloats(weights_of_t);
  const std::vector<float> bias = ToFloats(bias_of_t);
  const ShiftedInput<T> input(rounded, offset);
  const NchwShape y_shape = DepthwiseConvShape(shape, gate);
  const size_t elements = *ElementCount(y_shape);
  GuardedOutput<T> y(offset + elements);
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(DepthwiseConv(input.data(), shape, weights_of_t.data(), bias_of_t.data(),
                                      gate, loop, y.data() + offset)));
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  const size_t plane = shape.height * shape.width;
  // Of large tensors some.
  const size_t step = 1 + elements / 200'000;
  for (size_t i = 0; i < elements; i += step) {
    const float* image = x.data() + i / plane / y_shape.channels * shape.channels * plane;
    const DepthwiseRef exact =
        DepthwiseConvRef(image, shape, weights.data(), bias.data(), gate,
                         i / plane % y_shape.channels, i % plane / shape.width, i % shape.width);
    ASSERT_TRUE(Agrees(y[offset + i], exact.value, exact.error + RoundingError<T>(exact.value)))
        << y[offset + i] << " for " << exact.value << " at " << i;
  }
}

void ExpectMatchesReference(const NchwShape& shape, size_t offset = 0) {
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -2.0f, 2.0f);
  for (const Gate gate : kGates) {
    SCOPED_TRACE(static_cast<int>(gate));
    ExpectMatches<float>(shape, gate, x, offset);
    ExpectMatches<Float16>(shape, gate, x, offset);
  }
}

// Around the lengths of vectors.
TEST(DepthwiseConv, EveryWidthMatchesReference) {
  for (size_t width = 1; width <= 70; ++width) {
    ExpectMatchesReference({1, 2, 4, width}, width % 5);
  }
}

TEST(DepthwiseConv, EveryHeightMatchesReference) {
  for (size_t height = 1; height <= 12; ++height) ExpectMatchesReference({1, 4, height, 9});
}

TEST(DepthwiseConv, BatchesMatchReference) { ExpectMatchesReference({3, 6, 7, 11}, 3); }

// Written past the caches even in float16, in tasks that begin and end in the middle of planes.
TEST(DepthwiseConv, LargeTensorsMatchReference) {
  ExpectMatchesReference({1, 46, 463, 307}, 3);
  ExpectMatchesReference({1, 2, 8, 20000});
}

TEST(DepthwiseConv, OnlyTheKernelsOwnWeightIsUsed) {
  const NchwShape shape = {1, 1, 5, 7};
  const std::vector<float> x = RandomTensor(35, 1.0f, 2.0f);
  const float bias = 0.0f;
  for (size_t k = 0; k < 9; ++k) {
    std::vector<float> weights(9, 0.0f);
    weights[k] = 1.0f;
    GuardedOutput y(35);
    SerialLoop loop;
    ASSERT_TRUE(Succeeded(
        DepthwiseConv(x.data(), shape, weights.data(), &bias, Gate::kNone, loop, y.data())));
    for (size_t i = 0; i < 35; ++i) {
      const size_t row = i / 7 + k / 3 - 1;
      const size_t column = i % 7 + k % 3 - 1;
      EXPECT_EQ(y[i], row < 5 && column < 7 ? x[row * 7 + column] : 0.0f);
    }
  }
}

// All of what a GELU does: with the middle weight alone, 1, it is that of x, times 1.
TEST(DepthwiseConv, GeluMatchesReferenceEverywhere) {
  const size_t count = 4001;
  std::vector<float> x(2 * count, 0.0f);
  for (size_t i = 0; i < count; ++i) x[i] = -20.0f + 0.01f * static_cast<float>(i);
  for (const size_t i : {size_t{0}, size_t{1}}) x[i] = i == 0 ? -1e30f : 1e30f;
  std::vector<float> weights(18, 0.0f);
  weights[4] = 1.0f;
  const std::vector<float> bias = {0.0f, 1.0f};
  GuardedOutput y(count);
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(DepthwiseConv(x.data(), {1, 2, 1, count}, weights.data(), bias.data(),
                                      Gate::kGelu, loop, y.data())));
  for (size_t i = 0; i < count; ++i) {
    const double exact = 0.5 * double{x[i]} * std::erfc(-double{x[i]} / std::sqrt(2.0));
    ASSERT_NEAR(y[i], exact, 5e-7 * std::abs(x[i])) << x[i];
  }
}

TEST(DepthwiseConv, NonFiniteValuesReachTheirNeighboursOnly) {
  const NchwShape shape = {1, 4, 9, 37};
  const size_t plane = 9 * 37;
  const std::vector<float> weights = RandomTensor(36, 0.5f, 1.0f, 2);
  const std::vector<float> bias(4, 0.0f);
  for (const Gate gate : kGates) {
    std::vector<float> x = RandomTensor(4 * plane, 1.0f, 2.0f);
    x[0] = kNaN;
    x[3 * plane + 4 * 37 + 20] = kInfinity;
    const NchwShape y_shape = DepthwiseConvShape(shape, gate);
    GuardedOutput y(*ElementCount(y_shape));
    SerialLoop loop;
    ASSERT_TRUE(Succeeded(
        DepthwiseConv(x.data(), shape, weights.data(), bias.data(), gate, loop, y.data())));
    for (size_t i = 0; i < *ElementCount(y_shape); ++i) {
      const size_t channel = i / plane;
      const size_t row = i % plane / 37;
      const size_t column = i % 37;
      const bool by_first = channel == 0 && row <= 1 && column <= 1;
      const bool by_second =
          channel == y_shape.channels - 1 && row >= 3 && row <= 5 && column >= 19 && column <= 21;
      ASSERT_EQ(std::isfinite(y[i]), !by_first && !by_second) << i;
    }
  }
}

TEST(DepthwiseConv, NoElementsNoWork) {
  SerialLoop loop;
  for (const NchwShape& shape :
       {NchwShape{0, 4, 8, 8}, {2, 0, 8, 8}, {2, 4, 0, 8}, {2, 4, 8, 0}, {0, 0, 0, 0}}) {
    for (const Gate gate : kGates) {
      EXPECT_TRUE(
          Succeeded(DepthwiseConv<float>(nullptr, shape, nullptr, nullptr, gate, loop, nullptr)));
    }
  }
}

TEST(DepthwiseConv, LoopOrderDoesNotMatter) {
  const NchwShape shape = {2, 8, 120, 131};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> weights = RandomTensor(72, -1.0f, 1.0f, 2);
  for (const Gate gate : kGates) {
    const auto run = [&](ParallelLoop& loop) {
      GuardedOutput y(*ElementCount(DepthwiseConvShape(shape, gate)));
      EXPECT_TRUE(Succeeded(
          DepthwiseConv(x.data(), shape, weights.data(), weights.data(), gate, loop, y.data())));
      return y.values();
    };
    SerialLoop serial;
    ReverseLoop reverse;
    ThreadedLoop threaded;
    const std::vector<float> expected = run(serial);
    EXPECT_TRUE(BitIdentical(run(reverse), expected));
    EXPECT_TRUE(BitIdentical(run(threaded), expected));
  }
}

TEST(DepthwiseConv, ReportsWhatTheLoopReports) {
  const std::vector<float> x(60, 1.0f);
  std::vector<float> y(60);
  FailingLoop loop;
  const Status status =
      DepthwiseConv(x.data(), {1, 5, 3, 4}, x.data(), x.data(), Gate::kNone, loop, y.data());
  EXPECT_EQ(status.code, StatusCode::kInternal);
  EXPECT_EQ(status.message, "pool is gone");
}

TEST(DepthwiseConv, RefusesBadArguments) {
  const NchwShape shape = {1, 5, 3, 4};
  const std::vector<float> x(60, 1.0f);
  GuardedOutput y(60);
  SerialLoop loop;
  const auto expect_refused = [&](const Status& status, const std::string& message) {
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
    EXPECT_TRUE(y.Untouched());
  };
  for (const Gate gate : {Gate::kProduct, Gate::kGelu}) {
    expect_refused(DepthwiseConv(x.data(), shape, x.data(), x.data(), gate, loop, y.data()),
                   "X: expected an even number of channels, received 5");
  }
  const Gate none = Gate::kNone;
  expect_refused(DepthwiseConv<float>(nullptr, shape, x.data(), x.data(), none, loop, y.data()),
                 "X: expected a pointer to 60 elements, received null");
  expect_refused(DepthwiseConv<float>(x.data(), shape, nullptr, x.data(), none, loop, y.data()),
                 "W: expected a pointer to 45 elements, received null");
  expect_refused(DepthwiseConv<float>(x.data(), shape, x.data(), nullptr, none, loop, y.data()),
                 "B: expected a pointer to 5 elements, received null");
  expect_refused(DepthwiseConv<float>(x.data(), shape, x.data(), x.data(), none, loop, nullptr),
                 "Y: expected a pointer to 60 elements, received null");
  expect_refused(
      DepthwiseConv(x.data(), {SIZE_MAX / 2, 5, 3, 4}, x.data(), x.data(), none, loop, y.data()),
      "X: expected a shape that fits in memory, received [" + std::to_string(SIZE_MAX / 2) +
          ", 5, 3, 4]");
}

}  // namespace
}  // namespace tlsc
