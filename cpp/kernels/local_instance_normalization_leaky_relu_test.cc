#include "kernels/local_instance_normalization_leaky_relu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/local_instance_normalization_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

template <typename T>
void ExpectMatches(const NchwShape& shape, size_t normalized,
                   const LocalInstanceNormalizationParams& params, float alpha, size_t offset) {
  const std::vector<T> rounded = RoundTo<T>(RandomTensor(*ElementCount(shape), -1.0f, 1.0f));
  const std::vector<T> scale = RoundTo<T>(RandomTensor(normalized, 0.5f, 1.0f, 2));
  const std::vector<T> bias = RoundTo<T>(RandomTensor(normalized, -1.0f, 1.0f, 3));
  const std::vector<float> x = ToFloats(rounded);
  const ShiftedInput<T> input(rounded, offset);
  GuardedOutput<T> y(offset + x.size());
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(LocalInstanceNormalizationLeakyRelu(input.data(), shape, normalized,
                                                            scale.data(), bias.data(), params,
                                                            alpha, loop, y.data() + offset)));
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  const size_t plane_size = shape.height * shape.width;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t plane = i / plane_size;
    const size_t channel = plane % shape.channels;
    double expected = double{x[i]};
    double tolerance = 0.0;
    if (channel < normalized) {
      expected = LocalInstanceNormalizationRef(
                     x.data() + plane * plane_size, static_cast<int64_t>(shape.height),
                     static_cast<int64_t>(shape.width), double{ToFloat(scale[channel])},
                     double{ToFloat(bias[channel])}, params,
                     static_cast<int64_t>(i % plane_size / shape.width),
                     static_cast<int64_t>(i % shape.width))
                     .value;
      tolerance = 1e-6 * std::max(1.0, std::abs(expected));
    }
    if (expected < 0.0) {
      expected *= double{alpha};
      tolerance = tolerance * std::abs(double{alpha}) + 0x1p-23 * std::abs(expected);
    }
    ASSERT_TRUE(Agrees(y[offset + i], expected, tolerance + RoundingError<T>(expected)))
        << y[offset + i] << " for " << expected << " at " << i;
  }
}

void ExpectMatchesReference(const NchwShape& shape, size_t normalized,
                            const LocalInstanceNormalizationParams& params, float alpha,
                            size_t offset = 0) {
  SCOPED_TRACE(testing::Message() << normalized << " of " << shape.channels << " channels, "
                                  << shape.height << " x " << shape.width << ", alpha " << alpha);
  ExpectMatches<float>(shape, normalized, params, alpha, offset);
  ExpectMatches<Float16>(shape, normalized, params, alpha, offset);
}

TEST(LocalInstanceNormalizationLeakyRelu, EveryShareOfChannelsMatchesReference) {
  for (size_t normalized = 0; normalized <= 4; ++normalized) {
    for (const float alpha : {0.2f, 1.0f, 0.0f, -1.5f}) {
      ExpectMatchesReference({2, 4, 13, 17}, normalized, {{6, 7}}, alpha, normalized);
    }
  }
}

TEST(LocalInstanceNormalizationLeakyRelu, EveryWidthMatchesReference) {
  for (size_t width = 1; width <= 40; ++width)
    ExpectMatchesReference({1, 2, 3, width}, 1, {{5, 5}}, 0.2f, width % 5);
}

TEST(LocalInstanceNormalizationLeakyRelu, FastModeMatchesReference) {
  ExpectMatchesReference({1, 4, 24, 34}, 2, {{16, 20}, 1e-5f, MaxStride{5, 5}}, 0.2f);
}

// Written past the caches, cut into many tasks.
TEST(LocalInstanceNormalizationLeakyRelu, LargeTensorsAreWhatTheirNormalizationIs) {
  const NchwShape shape = {1, 4, 1030, 1027};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> ones(4, 1.0f);
  const LocalInstanceNormalizationParams params = {{300, 300}};
  SerialLoop loop;
  std::vector<float> expected = x;
  const NchwShape half = {1, 2, 1030, 1027};
  ASSERT_TRUE(Succeeded(LocalInstanceNormalization(x.data(), half, ones.data(), ones.data(), params,
                                                   loop, expected.data())));
  for (float& value : expected) value = value < 0.0f ? 0.2f * value : value;
  GuardedOutput y(x.size());
  ASSERT_TRUE(Succeeded(LocalInstanceNormalizationLeakyRelu(
      x.data(), shape, 2, ones.data(), ones.data(), params, 0.2f, loop, y.data())));
  EXPECT_TRUE(BitIdentical(y.values(), expected));
}

TEST(LocalInstanceNormalizationLeakyRelu, NonFiniteValuesStayInTheirWindows) {
  const NchwShape shape = {1, 2, 9, 11};
  std::vector<float> x = RandomTensor(198, -1.0f, 1.0f);
  x[0] = -kInfinity;
  x[99 + 50] = kNaN;
  const float one = 1.0f;
  GuardedOutput y(198);
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(LocalInstanceNormalizationLeakyRelu(x.data(), shape, 1, &one, &one,
                                                            {{3, 3}}, 0.2f, loop, y.data())));
  for (size_t i = 0; i < 99; ++i) {
    ASSERT_EQ(std::isnan(y[i]), i / 11 < 2 && i % 11 < 2) << i;
    ASSERT_EQ(std::isnan(y[99 + i]), i == 50) << i;
  }
}

TEST(LocalInstanceNormalizationLeakyRelu, LoopOrderDoesNotMatter) {
  const NchwShape shape = {2, 4, 150, 160};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> ones(4, 1.0f);
  const auto run = [&](ParallelLoop& loop) {
    GuardedOutput y(x.size());
    EXPECT_TRUE(Succeeded(LocalInstanceNormalizationLeakyRelu(
        x.data(), shape, 2, ones.data(), ones.data(), {{20, 30}}, 0.2f, loop, y.data())));
    return y.values();
  };
  SerialLoop serial;
  ReverseLoop reverse;
  ThreadedLoop threaded;
  const std::vector<float> expected = run(serial);
  EXPECT_TRUE(BitIdentical(run(reverse), expected));
  EXPECT_TRUE(BitIdentical(run(threaded), expected));
}

TEST(LocalInstanceNormalizationLeakyRelu, NoElementsNoWork) {
  SerialLoop loop;
  EXPECT_TRUE(Succeeded(LocalInstanceNormalizationLeakyRelu<float>(
      nullptr, {1, 2, 0, 3}, 1, nullptr, nullptr, {{3, 3}}, 0.2f, loop, nullptr)));
}

TEST(LocalInstanceNormalizationLeakyRelu, ReportsWhatTheLoopReports) {
  const std::vector<float> x(18, 1.0f);
  std::vector<float> y(18);
  FailingLoop loop;
  for (const size_t normalized : std::vector<size_t>{0, 1}) {
    const Status status = LocalInstanceNormalizationLeakyRelu(
        x.data(), {1, 2, 3, 3}, normalized, x.data(), x.data(), {{3, 3}}, 0.2f, loop, y.data());
    EXPECT_EQ(status.code, StatusCode::kInternal);
    EXPECT_EQ(status.message, "pool is gone");
  }
}

TEST(LocalInstanceNormalizationLeakyRelu, RefusesBadArguments) {
  const std::vector<float> x(18, 1.0f);
  const float* some = x.data();
  GuardedOutput y(18);
  SerialLoop loop;
  const auto expect_refused = [&](const float* from, size_t normalized, const float* scale,
                                  const float* bias, const LocalInstanceNormalizationParams& params,
                                  float alpha, const std::string& message) {
    const Status status = LocalInstanceNormalizationLeakyRelu(from, {1, 2, 3, 3}, normalized, scale,
                                                              bias, params, alpha, loop, y.data());
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
    EXPECT_TRUE(y.Untouched());
  };
  expect_refused(some, 1, some, some, {{3, 3}}, kNaN,
                 "alpha: expected a finite value, received nan");
  expect_refused(some, 3, some, some, {{3, 3}}, 0.2f,
                 "scale: expected no more than the channels of X, 2, of elements, received 3");
  expect_refused(some, 1, some, some, {{0, 3}}, 0.2f,
                 "kernel_shape: expected a height and a width of at least 1, received [0, 3]");
  expect_refused(nullptr, 1, some, some, {{3, 3}}, 0.2f,
                 "X: expected a pointer to 18 elements, received null");
  expect_refused(some, 1, nullptr, some, {{3, 3}}, 0.2f,
                 "scale: expected a pointer to 1 elements, received null");
  expect_refused(some, 1, some, nullptr, {{3, 3}}, 0.2f,
                 "B: expected a pointer to 1 elements, received null");
}

}  // namespace
}  // namespace tlsc
