#include "kernels/channel_normalization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/channel_normalization_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

// Runs the kernel on x, rounded to T, with a different scale and bias per channel and compares
// what comes out. x and y begin `offset` elements past where they would be aligned.
template <typename T>
void ExpectMatches(const NchwShape& shape, const ChannelNormalizationParams& params,
                   const std::vector<float>& values, size_t offset) {
  const std::vector<T> rounded = RoundTo<T>(values);
  const std::vector<T> scale_of_t = RoundTo<T>(RandomTensor(shape.channels, 0.5f, 1.0f, 2));
  const std::vector<T> bias_of_t = RoundTo<T>(RandomTensor(shape.channels, -1.0f, 1.0f, 3));
  const std::vector<float> x = ToFloats(rounded);
  const std::vector<float> scale = ToFloats(scale_of_t);
  const std::vector<float> bias = ToFloats(bias_of_t);
  const ShiftedInput<T> input(rounded, offset);
  GuardedOutput<T> y(offset + x.size());
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(ChannelNormalization(input.data(), shape, scale_of_t.data(),
                                             bias_of_t.data(), params, loop, y.data() + offset)));
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  const size_t plane = shape.height * shape.width;
  // Of large tensors some: the reference takes time by the square of the channels.
  const size_t step = 1 + x.size() * shape.channels / 2'000'000;
  for (size_t i = 0; i < x.size(); i += step) {
    const size_t channel = i / plane % shape.channels;
    const float* pixel = x.data() + i - channel * plane;
    const double s = scale[channel];
    const double b = bias[channel];
    const double exact =
        ChannelNormalizationRef(pixel, shape.channels, plane, s, b, params, channel);
    const double error = ChannelNormalizationError(shape.channels, s, b, exact);
    ASSERT_TRUE(Agrees(y[offset + i], exact, error + RoundingError<T>(exact)))
        << y[offset + i] << " for " << exact << " at " << i;
  }
}

void ExpectMatchesReference(const NchwShape& shape, const std::vector<float>& x,
                            size_t offset = 0) {
  for (const bool centers : {true, false}) {
    SCOPED_TRACE(centers);
    ExpectMatches<float>(shape, {centers}, x, offset);
    ExpectMatches<Float16>(shape, {centers}, x, offset);
  }
}

void ExpectMatchesReference(const NchwShape& shape, size_t offset = 0) {
  ExpectMatchesReference(shape, RandomTensor(*ElementCount(shape), -1.0f, 1.0f), offset);
}

// Around the lengths of vectors and blocks.
TEST(ChannelNormalization, EveryNumberOfPixelsMatchesReference) {
  for (size_t width = 1; width <= 140; ++width) ExpectMatchesReference({1, 5, 1, width}, width % 7);
}

TEST(ChannelNormalization, EveryNumberOfChannelsMatchesReference) {
  for (size_t channels = 1; channels <= 40; ++channels) {
    ExpectMatchesReference({1, channels, 3, 23});
  }
  for (const size_t channels : {size_t{96}, size_t{512}, size_t{1000}, size_t{2048}}) {
    ExpectMatchesReference({1, channels, 5, 29});
  }
}

TEST(ChannelNormalization, BatchesMatchReference) { ExpectMatchesReference({3, 6, 9, 11}, 3); }

// Written past the caches even in float16, several blocks to a task, planes that begin anywhere.
TEST(ChannelNormalization, LargeTensorsMatchReference) {
  ExpectMatchesReference({2, 16, 463, 307}, 3);
  ExpectMatchesReference({1, 16, 512, 512});
}

TEST(ChannelNormalization, EpsilonIsUsed) {
  const NchwShape shape = {1, 7, 4, 9};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  for (const float epsilon : {0.0f, 0.7f, 1e30f}) {
    ExpectMatches<float>(shape, {true, epsilon}, x, 0);
    ExpectMatches<float>(shape, {false, epsilon}, x, 0);
  }
}

// Where the sums of halves are far beyond the ends of their range.
TEST(ChannelNormalization, Float16DoesNotOverflowOnTheWay) {
  const NchwShape shape = {1, 64, 5, 7};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -65000.0f, 65000.0f);
  ExpectMatches<Float16>(shape, {true}, x, 0);
  ExpectMatches<Float16>(shape, {false}, x, 0);
}

// A faint difference between channels that are all bright: the mean of floats is rounded by more
// than these differ.
TEST(ChannelNormalization, KeepsFaintDifferences) {
  const NchwShape shape = {1, 48, 7, 13};
  for (const float base : {100.0f, 1e4f, 1e6f, -3e6f}) {
    std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
    for (float& value : x) value += base;
    ExpectMatches<float>(shape, {true}, x, 0);
    ExpectMatches<float>(shape, {false}, x, 0);
  }
}

TEST(ChannelNormalization, EqualChannelsGiveTheBias) {
  const NchwShape shape = {1, 37, 3, 5};
  const std::vector<float> x(*ElementCount(shape), 0.1f);
  const std::vector<float> scale(37, 3.0f);
  const std::vector<float> bias(37, 0.25f);
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(
      ChannelNormalization(x.data(), shape, scale.data(), bias.data(), {}, loop, y.data())));
  for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(y[i], 0.25f, 1e-6f);
}

TEST(ChannelNormalization, NeedsNoBias) {
  const NchwShape shape = {1, 5, 3, 4};
  const std::vector<float> x = RandomTensor(60, -1.0f, 1.0f);
  const std::vector<float> scale = RandomTensor(5, 0.5f, 1.0f, 2);
  const std::vector<float> zeros(5, 0.0f);
  for (const bool centers : {true, false}) {
    GuardedOutput y(60), expected(60);
    SerialLoop loop;
    ASSERT_TRUE(Succeeded(ChannelNormalization<float>(x.data(), shape, scale.data(), nullptr,
                                                      {centers}, loop, y.data())));
    ASSERT_TRUE(Succeeded(ChannelNormalization(x.data(), shape, scale.data(), zeros.data(),
                                               {centers}, loop, expected.data())));
    EXPECT_TRUE(BitIdentical(y.values(), expected.values()));
  }
}

TEST(ChannelNormalization, MayWriteOverItsInput) {
  const NchwShape shape = {2, 9, 31, 33};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> scale = RandomTensor(9, 0.5f, 1.0f, 2);
  for (const bool centers : {true, false}) {
    GuardedOutput expected(x.size());
    SerialLoop loop;
    ASSERT_TRUE(Succeeded(ChannelNormalization(x.data(), shape, scale.data(), scale.data(),
                                               {centers}, loop, expected.data())));
    std::vector<float> over = x;
    ASSERT_TRUE(Succeeded(ChannelNormalization(over.data(), shape, scale.data(), scale.data(),
                                               {centers}, loop, over.data())));
    EXPECT_TRUE(BitIdentical(over, expected.values()));
  }
}

TEST(ChannelNormalization, NonFiniteValuesStayInTheirPixel) {
  const NchwShape shape = {1, 6, 5, 67};
  const size_t plane = 5 * 67;
  const std::vector<float> scale(6, 1.0f);
  for (const float bad : {kNaN, kInfinity, -kInfinity}) {
    for (const bool centers : {true, false}) {
      std::vector<float> x = RandomTensor(6 * plane, -1.0f, 1.0f);
      for (const size_t at : {size_t{0}, plane + 70, 5 * plane + plane - 1}) x[at] = bad;
      GuardedOutput y(x.size());
      SerialLoop loop;
      ASSERT_TRUE(Succeeded(ChannelNormalization(x.data(), shape, scale.data(), scale.data(),
                                                 {centers}, loop, y.data())));
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t pixel = i % plane;
        const bool spoilt = pixel == 0 || pixel == 70 || pixel == plane - 1;
        ASSERT_EQ(std::isnan(y[i]), spoilt) << i;
      }
    }
  }
}

TEST(ChannelNormalization, NoElementsNoWork) {
  SerialLoop loop;
  for (const NchwShape& shape :
       {NchwShape{0, 3, 8, 8}, {2, 0, 8, 8}, {2, 3, 0, 8}, {2, 3, 8, 0}, {0, 0, 0, 0}}) {
    EXPECT_TRUE(Succeeded(
        ChannelNormalization<float>(nullptr, shape, nullptr, nullptr, {}, loop, nullptr)));
  }
}

TEST(ChannelNormalization, LoopOrderDoesNotMatter) {
  const NchwShape shape = {2, 32, 120, 131};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> scale(32, 0.5f);
  const auto run = [&](ParallelLoop& loop) {
    GuardedOutput y(x.size());
    EXPECT_TRUE(Succeeded(
        ChannelNormalization(x.data(), shape, scale.data(), scale.data(), {}, loop, y.data())));
    return y.values();
  };
  SerialLoop serial;
  ReverseLoop reverse;
  ThreadedLoop threaded;
  const std::vector<float> expected = run(serial);
  EXPECT_TRUE(BitIdentical(run(reverse), expected));
  EXPECT_TRUE(BitIdentical(run(threaded), expected));
}

TEST(ChannelNormalization, ReportsWhatTheLoopReports) {
  const std::vector<float> x(60, 1.0f);
  std::vector<float> y(60);
  FailingLoop loop;
  const Status status =
      ChannelNormalization(x.data(), {1, 5, 3, 4}, x.data(), x.data(), {}, loop, y.data());
  EXPECT_EQ(status.code, StatusCode::kInternal);
  EXPECT_EQ(status.message, "pool is gone");
}

TEST(ChannelNormalization, RefusesBadArguments) {
  const NchwShape shape = {1, 5, 3, 4};
  const std::vector<float> x(60, 1.0f);
  GuardedOutput y(60);
  SerialLoop loop;
  const auto expect_refused = [&](const Status& status, const std::string& message) {
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
    EXPECT_TRUE(y.Untouched());
  };
  for (const float epsilon : {-1e-5f, kInfinity, kNaN}) {
    const Status status =
        ChannelNormalization(x.data(), shape, x.data(), x.data(), {true, epsilon}, loop, y.data());
    expect_refused(status, "epsilon: expected a finite value of at least 0, received " +
                               std::to_string(epsilon));
  }
  expect_refused(
      ChannelNormalization<float>(nullptr, shape, x.data(), x.data(), {}, loop, y.data()),
      "X: expected a pointer to 60 elements, received null");
  expect_refused(
      ChannelNormalization<float>(x.data(), shape, nullptr, x.data(), {}, loop, y.data()),
      "scale: expected a pointer to 5 elements, received null");
  expect_refused(
      ChannelNormalization<float>(x.data(), shape, x.data(), x.data(), {}, loop, nullptr),
      "Y: expected a pointer to 60 elements, received null");
  expect_refused(ChannelNormalization(x.data(), {SIZE_MAX / 2, 5, 3, 4}, x.data(), x.data(), {},
                                      loop, y.data()),
                 "X: expected a shape that fits in memory, received [" +
                     std::to_string(SIZE_MAX / 2) + ", 5, 3, 4]");
}

}  // namespace
}  // namespace tlsc
