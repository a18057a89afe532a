#include "kernels/local_group_normalization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/local_group_normalization_ref.h"
#include "kernels/local_instance_normalization.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

// Runs the kernel on x, rounded to T, with a different scale and bias per channel and compares
// every pixel. x and y begin `offset` elements past where they would be aligned.
template <typename T>
void ExpectMatches(const NchwShape& shape, const LocalGroupNormalizationParams& params,
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
  const Status status = LocalGroupNormalization(input.data(), shape, scale_of_t.data(),
                                                bias_of_t.data(), params, loop, y.data() + offset);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  const auto channels = static_cast<int64_t>(shape.channels);
  const auto height = static_cast<int64_t>(shape.height);
  const auto width = static_cast<int64_t>(shape.width);
  size_t at = offset;
  for (size_t n = 0; n < shape.batch; ++n) {
    const float* image = x.data() + n * shape.channels * shape.height * shape.width;
    for (int64_t c = 0; c < channels; ++c) {
      const auto channel = static_cast<size_t>(c);
      for (int64_t i = 0; i < height; ++i) {
        for (int64_t j = 0; j < width; ++j, ++at) {
          const double expected =
              LocalGroupNormalizationRef(image, channels, height, width, scale[channel],
                                         bias[channel], params, c, i, j)
                  .value;
          const double tolerance = 1e-6 * std::max(1.0, std::abs(expected));
          ASSERT_TRUE(Agrees(y[at], expected, tolerance + RoundingError<T>(expected)))
              << y[at] << " for " << expected << " in " << n << ", " << c << ", " << i << ", " << j;
        }
      }
    }
  }
}

void ExpectMatchesReference(const NchwShape& shape, const LocalGroupNormalizationParams& params,
                            const std::vector<float>& x, size_t offset = 0) {
  {
    SCOPED_TRACE("float32");
    ExpectMatches<float>(shape, params, x, offset);
  }
  SCOPED_TRACE("float16");
  ExpectMatches<Float16>(shape, params, x, offset);
}

void ExpectMatchesReference(const NchwShape& shape, const LocalGroupNormalizationParams& params) {
  ExpectMatchesReference(shape, params, RandomTensor(*ElementCount(shape), -1.0f, 1.0f));
}

class LocalGroupNormalizationSizes : public testing::TestWithParam<WindowCase> {};

// Groups of one channel, of two, which are moved one by one, of five, four of which move at a time,
// and one group of all ten.
TEST_P(LocalGroupNormalizationSizes, MatchesReference) {
  const WindowCase& c = GetParam();
  for (const int64_t groups : {10, 5, 2, 1}) {
    SCOPED_TRACE(groups);
    ExpectMatchesReference({1, 10, c.height, c.width}, {c.kernel_shape, groups});
  }
}

INSTANTIATE_TEST_SUITE_P(All, LocalGroupNormalizationSizes, testing::ValuesIn(WindowCases()),
                         WindowCaseName);

TEST(LocalGroupNormalization, BatchAndGroups) {
  for (const int64_t groups : {1, 2, 3, 6}) {
    ExpectMatchesReference({3, 6, 9, 11}, {{4, 5}, groups});
  }
}

TEST(LocalGroupNormalization, MoreGroupsThanTasks) {
  ExpectMatchesReference({3, 134, 4, 5}, {{3, 2}, 67});
}

TEST(LocalGroupNormalization, IsInstanceNormalizationWithAGroupPerChannel) {
  const NchwShape shape = {2, 5, 40, 51};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> scale = RandomTensor(5, 0.5f, 1.0f, 2);
  const std::vector<float> bias = RandomTensor(5, -1.0f, 1.0f, 3);
  GuardedOutput y(x.size()), expected(x.size());
  SerialLoop loop;
  ASSERT_TRUE(LocalGroupNormalization(x.data(), shape, scale.data(), bias.data(), {{7, 9}, 5}, loop,
                                      y.data())
                  .ok());
  ASSERT_TRUE(LocalInstanceNormalization(x.data(), shape, scale.data(), bias.data(), {{7, 9}}, loop,
                                         expected.data())
                  .ok());
  EXPECT_TRUE(BitIdentical(y.values(), expected.values()));
}

// Squares leave float32 long before values do; so does the quotient of a scale and a deviation.
TEST(LocalGroupNormalization, KeepsTheEndsOfFloat32) {
  const NchwShape shape = {1, 3, 9, 11};
  ExpectNormalizesEveryMagnitude(
      3 * 9 * 11,
      [&](const float* x, float scale, float bias, float epsilon, float* y) {
        const std::vector<float> scales(3, scale);
        const std::vector<float> biases(3, bias);
        SerialLoop loop;
        return LocalGroupNormalization(x, shape, scales.data(), biases.data(), {{5, 7}, 1, epsilon},
                                       loop, y);
      },
      [&](const float* x, float scale, float bias, float epsilon, size_t i) {
        return LocalGroupNormalizationRef(
                   x, 3, 9, 11, scale, bias, {{5, 7}, 1, epsilon}, static_cast<int64_t>(i / 99),
                   static_cast<int64_t>(i / 11 % 9), static_cast<int64_t>(i % 11))
            .value;
      });
}

TEST(LocalGroupNormalization, MisalignedTensorsMatchReference) {
  for (size_t offset = 1; offset < 16; ++offset) {
    const NchwShape shape = {1, 4, 7, 60 + offset};
    const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
    ExpectMatchesReference(shape, {{3, 5}, 2}, x, offset);
  }
}

// Large enough to be written past the caches even in float16, with rows that begin anywhere.
TEST(LocalGroupNormalization, LargeOutputsMatchReference) {
  const NchwShape shape = {1, 9, 463, 1027};
  ExpectMatchesReference(shape, {{3, 3}, 3}, RandomTensor(*ElementCount(shape), -1.0f, 1.0f), 3);
}

// Squares and sums of halves near the end of their range are far beyond it.
TEST(LocalGroupNormalization, Float16DoesNotOverflowOnTheWay) {
  const NchwShape shape = {1, 2, 20, 30};
  ExpectMatches<Float16>(shape, {{7, 9}, 1},
                         RandomTensor(*ElementCount(shape), -65000.0f, 65000.0f), 0);
}

TEST(LocalGroupNormalization, EpsilonIsUsed) {
  ExpectMatchesReference({1, 4, 9, 11}, {{4, 5}, 2, 0.7f});
}

TEST(LocalGroupNormalization, NoElementsNoWork) {
  SerialLoop loop;
  for (const NchwShape& shape :
       {NchwShape{0, 3, 8, 8}, {2, 0, 8, 8}, {2, 3, 0, 8}, {2, 3, 8, 0}, {0, 0, 0, 0}}) {
    EXPECT_TRUE(
        LocalGroupNormalization<float>(nullptr, shape, nullptr, nullptr, {{3, 3}, 3}, loop, nullptr)
            .ok());
  }
}

// A faint texture on bright planes, which is where statistics in float32 turn into NaN.
struct SmoothCase {
  const char* name;
  int64_t height, width, window;
  std::vector<float> bases;  // of the channels of one group
  float amplitude;
  float shift;  // of every plane's first value, which need not be typical
};

class LocalGroupNormalizationSmooth : public testing::TestWithParam<SmoothCase> {};

TEST_P(LocalGroupNormalizationSmooth, KeepsPrecision) {
  const SmoothCase& c = GetParam();
  const size_t plane_size = static_cast<size_t>(c.height * c.width);
  const size_t channels = c.bases.size();
  std::vector<float> x = RandomTensor(channels * plane_size, 0.0f, c.amplitude);
  for (size_t i = 0; i < x.size(); ++i) x[i] += c.bases[i / plane_size];
  for (size_t channel = 0; channel < channels; ++channel) x[channel * plane_size] += c.shift;
  const std::vector<float> scale(channels, 1.0f);
  const std::vector<float> bias(channels, 0.0f);
  const LocalGroupNormalizationParams params = {{c.window, c.window}, 1};
  const NchwShape shape = {1, channels, static_cast<size_t>(c.height),
                           static_cast<size_t>(c.width)};
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(
      LocalGroupNormalization(x.data(), shape, scale.data(), bias.data(), params, loop, y.data())
          .ok());
  size_t nan_count = 0;
  for (const float value : y.values()) nan_count += std::isnan(value);
  EXPECT_EQ(nan_count, 0u);
  const auto at = [](int64_t size) { return std::vector<int64_t>{0, 3, size / 2, size - 1}; };
  for (size_t channel = 0; channel < channels; ++channel) {
    for (const int64_t i : at(c.height)) {
      for (const int64_t j : at(c.width)) {
        const double expected =
            LocalGroupNormalizationRef(x.data(), static_cast<int64_t>(channels), c.height, c.width,
                                       1.0, 0.0, params, static_cast<int64_t>(channel), i, j)
                .value;
        EXPECT_NEAR(y[channel * plane_size + static_cast<size_t>(i * c.width + j)], expected,
                    1e-5 * std::max(1.0, std::abs(expected)))
            << channel << ", " << i << ", " << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LocalGroupNormalizationSmooth,
    testing::Values(SmoothCase{"MidGrey720Window8", 720, 1280, 8, {0.5f, 0.5f}, 0.02f, 0.0f},
                    SmoothCase{"MidGrey720Window384", 720, 1280, 384, {0.5f, 0.5f}, 0.02f, 0.0f},
                    SmoothCase{"Bright720Window8", 720, 1280, 8, {5.0f, 5.0f}, 0.02f, 0.0f},
                    SmoothCase{"Bright720Window384", 720, 1280, 384, {5.0f, 5.0f}, 0.02f, 0.0f},
                    SmoothCase{"MidGrey2160Window8", 2160, 3840, 8, {0.5f, 0.5f}, 0.02f, 0.0f},
                    SmoothCase{"MidGrey2160Window384", 2160, 3840, 384, {0.5f, 0.5f}, 0.02f, 0.0f},
                    SmoothCase{"Bright2160Window8", 2160, 3840, 8, {5.0f, 5.0f}, 0.02f, 0.0f},
                    SmoothCase{"Bright2160Window384", 2160, 3840, 384, {5.0f, 5.0f}, 0.02f, 0.0f},
                    // Needs the pivot: without it float64 sums lose this one as well.
                    SmoothCase{"VeryBright", 720, 1280, 64, {1e4f, 1e4f, 1e4f}, 0.02f, 0.0f},
                    // Needs no other: the levels are part of the variance.
                    SmoothCase{"LevelsApart", 720, 1280, 64, {1e4f, 0.0f, 5.0f}, 0.02f, 0.0f},
                    SmoothCase{
                        "LevelsSlightlyApart", 720, 1280, 64, {5.0f, 5.1f, 5.2f}, 0.02f, 0.0f},
                    SmoothCase{"FirstValuesFarOff", 720, 1280, 256, {5.0f, 5.0f}, 0.02f, 55.0f},
                    SmoothCase{"FirstValuesNearZero", 720, 1280, 8, {50.0f, 50.0f}, 0.02f, -50.0f}),
    [](const auto& test) { return test.param.name; });

TEST(LocalGroupNormalization, ConstantPlanesGiveExactlyBias) {
  const NchwShape shape = {2, 6, 40, 60};
  const std::vector<float> x(*ElementCount(shape), 1234.567f);
  const std::vector<float> scale = {3.0f, -2.0f, 1.0f, 0.5f, 0.1f, 7.0f};
  const std::vector<float> bias = {0.1f, -0.7f, 0.3f, 9.0f, -1.1f, 0.0f};
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(LocalGroupNormalization(x.data(), shape, scale.data(), bias.data(), {{7, 9}, 2}, loop,
                                      y.data())
                  .ok());
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], bias[i / (40 * 60) % 6]);
}

// Where texture gives way to a flat area, the sums keep a rounding residue of either sign; with
// next to no epsilon a negative variance would show as NaN.
TEST(LocalGroupNormalization, VarianceIsNeverNegative) {
  const NchwShape shape = {1, 5, 200, 300};
  std::vector<float> x = RandomTensor(*ElementCount(shape), -3.0f, 100.0f);
  for (size_t channel = 0; channel < 5; ++channel) {
    float* plane = x.data() + channel * 200 * 300;
    std::fill(plane + 40 * 300, plane + 200 * 300, 0.3f);
  }
  const std::vector<float> scale(5, 1.0f);
  const std::vector<float> bias(5, 0.0f);
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(LocalGroupNormalization(x.data(), shape, scale.data(), bias.data(),
                                      {{7, 9}, 1, 1e-30f}, loop, y.data())
                  .ok());
  for (const float value : y.values()) ASSERT_TRUE(std::isfinite(value));
}

// The reference sums each window anew, so that nothing outside it can matter. Of the groups of five
// channels one holds values that are not finite, the first of its first plane among them.
TEST(LocalGroupNormalization, NonFiniteReachesItsWindowsAndNoOthers) {
  for (const KernelShape& kernel_shape :
       {KernelShape{3, 3}, KernelShape{8, 5}, KernelShape{40, 12}}) {
    for (const size_t spoiled : {5u, 7u, 9u}) {
      const NchwShape shape = {1, 15, 37, 45};
      std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
      Spoil(x.data() + spoiled * 37 * 45, 37, 45);
      ExpectMatchesReference(shape, {kernel_shape, 3}, x);
    }
  }
}

// One group this high is cut into bands.
TEST(LocalGroupNormalization, BandsMatchReference) {
  const NchwShape shape = {1, 3, 700, 19};
  ExpectMatchesReference(shape, {{9, 6}, 1});
  std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  Spoil(x.data() + 700 * 19, shape.height, shape.width);
  ExpectMatchesReference(shape, {{9, 6}, 1}, x);
}

TEST(LocalGroupNormalization, LoopOrderDoesNotMatter) {
  const NchwShape shape = {3, 6, 33, 47};
  const LocalGroupNormalizationParams params = {{8, 11}, 2};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> scale(6, 1.5f);
  const std::vector<float> bias(6, -0.5f);
  SerialLoop serial_loop;
  ReverseLoop reverse_loop;
  ThreadedLoop threaded_loop;
  std::vector<std::vector<float>> results;
  for (ParallelLoop* loop :
       std::initializer_list<ParallelLoop*>{&serial_loop, &reverse_loop, &threaded_loop}) {
    GuardedOutput y(x.size());
    ASSERT_TRUE(Succeeded(LocalGroupNormalization(x.data(), shape, scale.data(), bias.data(),
                                                  params, *loop, y.data())));
    results.push_back(y.values());
  }
  EXPECT_TRUE(BitIdentical(results[0], results[1]));
  EXPECT_TRUE(BitIdentical(results[0], results[2]));
}

TEST(LocalGroupNormalization, RefusesBadArguments) {
  const std::vector<float> v(8);
  GuardedOutput y(8);
  SerialLoop loop;
  const NchwShape shape = {1, 2, 2, 2};
  const KernelShape k = {3, 3};
  const auto expect_refused = [&](const Status& status, const char* message) {
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
    EXPECT_TRUE(y.Untouched());
  };
  const auto run = [&](const float* x, const float* scale, const float* bias, float* to,
                       const LocalGroupNormalizationParams& params) {
    return LocalGroupNormalization(x, shape, scale, bias, params, loop, to);
  };
  const float* p = v.data();
  expect_refused(run(p, p, p, y.data(), {{3, 0}, 1}),
                 "kernel_shape: expected a height and a width of at least 1, received [3, 0]");
  expect_refused(run(p, p, p, y.data(), {k, 0}), "num_groups: expected at least 1, received 0");
  expect_refused(run(p, p, p, y.data(), {k, -2}), "num_groups: expected at least 1, received -2");
  expect_refused(run(p, p, p, y.data(), {k, 3}),
                 "num_groups: expected a divisor of the 2 channels of X, received 3");
  expect_refused(run(p, p, p, y.data(), {k, 4}),
                 "num_groups: expected a divisor of the 2 channels of X, received 4");
  expect_refused(run(p, p, p, y.data(), {k, 1, -1.0f}),
                 "epsilon: expected a finite value of at least 0, received -1.000000");
  expect_refused(run(p, p, p, y.data(), {k, 1, kNaN}),
                 "epsilon: expected a finite value of at least 0, received nan");
  expect_refused(run(nullptr, p, p, y.data(), {k, 1}),
                 "X: expected a pointer to 8 elements, received null");
  expect_refused(run(p, nullptr, p, y.data(), {k, 1}),
                 "scale: expected a pointer to 2 elements, received null");
  expect_refused(run(p, p, nullptr, y.data(), {k, 1}),
                 "B: expected a pointer to 2 elements, received null");
  expect_refused(run(p, p, p, nullptr, {k, 1}),
                 "Y: expected a pointer to 8 elements, received null");
  expect_refused(
      LocalGroupNormalization(p, {size_t{1} << 62, 2, 2, 2}, p, p, {k, 1}, loop, y.data()),
      "X: expected a shape that fits in memory, received "
      "[4611686018427387904, 2, 2, 2]");
}

TEST(LocalGroupNormalization, ReportsWhatTheLoopReports) {
  const std::vector<float> x(4);
  GuardedOutput y(4);
  FailingLoop loop;
  const Status status = LocalGroupNormalization(x.data(), {1, 1, 2, 2}, x.data(), x.data(),
                                                {{3, 3}, 1}, loop, y.data());
  EXPECT_EQ(status.code, StatusCode::kInternal);
  EXPECT_EQ(status.message, "pool is gone");
}

}  // namespace
}  // namespace tlsc
