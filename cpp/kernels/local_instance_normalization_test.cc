#include "kernels/local_instance_normalization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/local_instance_normalization_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

// Runs the kernel on x, rounded to T, with a different scale and bias per channel and compares
// every pixel. x and y begin `offset` elements past where they would be aligned.
template <typename T>
void ExpectMatches(const NchwShape& shape, const LocalInstanceNormalizationParams& params,
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
  const Status status = LocalInstanceNormalization(
      input.data(), shape, scale_of_t.data(), bias_of_t.data(), params, loop, y.data() + offset);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  size_t at = offset;
  for (size_t plane = 0; plane < shape.batch * shape.channels; ++plane) {
    const float* from = x.data() + plane * shape.height * shape.width;
    const size_t channel = plane % shape.channels;
    for (size_t i = 0; i < shape.height; ++i) {
      for (size_t j = 0; j < shape.width; ++j, ++at) {
        const double expected =
            LocalInstanceNormalizationRef(from, static_cast<int64_t>(shape.height),
                                          static_cast<int64_t>(shape.width), scale[channel],
                                          bias[channel], params, static_cast<int64_t>(i),
                                          static_cast<int64_t>(j))
                .value;
        const double tolerance = 1e-6 * std::max(1.0, std::abs(expected));
        ASSERT_TRUE(Agrees(y[at], expected, tolerance + RoundingError<T>(expected)))
            << y[at] << " for " << expected << " in plane " << plane << " at " << i << ", " << j;
      }
    }
  }
}

void ExpectMatchesReference(const NchwShape& shape, const LocalInstanceNormalizationParams& params,
                            const std::vector<float>& x, size_t offset = 0) {
  {
    SCOPED_TRACE("float32");
    ExpectMatches<float>(shape, params, x, offset);
  }
  SCOPED_TRACE("float16");
  ExpectMatches<Float16>(shape, params, x, offset);
}

void ExpectMatchesReference(const NchwShape& shape,
                            const LocalInstanceNormalizationParams& params) {
  ExpectMatchesReference(shape, params, RandomTensor(*ElementCount(shape), -1.0f, 1.0f));
}

class LocalInstanceNormalizationSizes : public testing::TestWithParam<WindowCase> {};

TEST_P(LocalInstanceNormalizationSizes, MatchesReference) {
  const WindowCase& c = GetParam();
  ExpectMatchesReference({1, 2, c.height, c.width}, {c.kernel_shape});
}

INSTANTIATE_TEST_SUITE_P(All, LocalInstanceNormalizationSizes, testing::ValuesIn(WindowCases()),
                         WindowCaseName);

class LocalInstanceNormalizationFast : public testing::TestWithParam<FastCase> {};

TEST_P(LocalInstanceNormalizationFast, MatchesReference) {
  const FastCase& c = GetParam();
  ExpectMatchesReference({1, 2, c.height, c.width}, {c.kernel_shape, 1e-5f, c.max_stride});
}

INSTANTIATE_TEST_SUITE_P(All, LocalInstanceNormalizationFast, testing::ValuesIn(FastCases()),
                         FastCaseName);

TEST(LocalInstanceNormalization, BatchAndChannels) {
  ExpectMatchesReference({3, 5, 9, 11}, {{4, 5}});
}

TEST(LocalInstanceNormalization, MorePlanesThanTasks) {
  ExpectMatchesReference({3, 67, 4, 5}, {{3, 2}});
}

TEST(LocalInstanceNormalization, MisalignedTensorsMatchReference) {
  for (size_t offset = 1; offset < 16; ++offset) {
    const NchwShape shape = {1, 2, 7, 60 + offset};
    const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
    ExpectMatchesReference(shape, {{3, 5}}, x, offset);
  }
}

// Large enough to be written past the caches even in float16, with rows that begin anywhere.
TEST(LocalInstanceNormalization, LargeOutputsMatchReference) {
  const NchwShape shape = {1, 9, 463, 1027};
  ExpectMatchesReference(shape, {{3, 3}}, RandomTensor(*ElementCount(shape), -1.0f, 1.0f), 3);
}

// Squares and sums of halves near the end of their range are far beyond it.
TEST(LocalInstanceNormalization, Float16DoesNotOverflowOnTheWay) {
  const NchwShape shape = {1, 1, 20, 30};
  ExpectMatches<Float16>(shape, {{7, 9}}, RandomTensor(*ElementCount(shape), -65000.0f, 65000.0f),
                         0);
  const std::vector<Float16> x = RoundTo<Float16>({60000.0f, -60000.0f, 60000.0f});
  const Float16 scale = RoundTo<Float16>(60000.0);
  const Float16 bias = RoundTo<Float16>(-9984.0);
  GuardedOutput<Float16> y(3);
  SerialLoop loop;
  ASSERT_TRUE(
      LocalInstanceNormalization(x.data(), {1, 1, 1, 3}, &scale, &bias, {{1, 2}}, loop, y.data())
          .ok());
  EXPECT_EQ(y[0], 50016.0f);
  EXPECT_EQ(y[1], -kInfinity);  // -69984
}

// Squares leave float32 long before values do; so does the quotient of a scale and a deviation.
TEST(LocalInstanceNormalization, KeepsTheEndsOfFloat32) {
  const NchwShape shape = {1, 1, 12, 15};
  for (const std::optional<MaxStride>& max_stride :
       {std::optional<MaxStride>(), std::optional<MaxStride>({2, 2})}) {
    ExpectNormalizesEveryMagnitude(
        12 * 15,
        [&](const float* x, const float& scale, const float& bias, float epsilon, float* y) {
          SerialLoop loop;
          return LocalInstanceNormalization(x, shape, &scale, &bias, {{5, 7}, epsilon, max_stride},
                                            loop, y);
        },
        [&](const float* x, float scale, float bias, float epsilon, size_t i) {
          return LocalInstanceNormalizationRef(
                     x, 12, 15, scale, bias, {{5, 7}, epsilon, max_stride},
                     static_cast<int64_t>(i / 15), static_cast<int64_t>(i % 15))
              .value;
        });
  }
}

TEST(LocalInstanceNormalization, EpsilonIsUsed) {
  ExpectMatchesReference({1, 2, 9, 11}, {{4, 5}, 0.7f});
}

TEST(LocalInstanceNormalization, NoElementsNoWork) {
  SerialLoop loop;
  for (const NchwShape& shape :
       {NchwShape{0, 3, 8, 8}, {2, 0, 8, 8}, {2, 3, 0, 8}, {2, 3, 8, 0}, {0, 0, 0, 0}}) {
    EXPECT_TRUE(
        LocalInstanceNormalization<float>(nullptr, shape, nullptr, nullptr, {{3, 3}}, loop, nullptr)
            .ok());
  }
}

// A faint texture on a bright base, which is where statistics in float32 turn into NaN.
struct SmoothCase {
  const char* name;
  int64_t height, width, window;
  float base, amplitude;
  float first;  // the plane's first value, which need not be typical
};

class LocalInstanceNormalizationSmooth : public testing::TestWithParam<SmoothCase> {};

TEST_P(LocalInstanceNormalizationSmooth, KeepsPrecision) {
  const SmoothCase& c = GetParam();
  std::vector<float> x =
      RandomTensor(static_cast<size_t>(c.height * c.width), c.base, c.base + c.amplitude);
  x[0] = c.first;
  const float scale = 1.0f;
  const float bias = 0.0f;
  const LocalInstanceNormalizationParams params = {{c.window, c.window}};
  const NchwShape shape = {1, 1, static_cast<size_t>(c.height), static_cast<size_t>(c.width)};
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(
      LocalInstanceNormalization(x.data(), shape, &scale, &bias, params, loop, y.data()).ok());
  size_t nan_count = 0;
  for (const float value : y.values()) nan_count += std::isnan(value);
  EXPECT_EQ(nan_count, 0u);
  const auto at = [](int64_t size) { return std::vector<int64_t>{0, 3, size / 2, size - 1}; };
  for (const int64_t i : at(c.height)) {
    for (const int64_t j : at(c.width)) {
      const double expected =
          LocalInstanceNormalizationRef(x.data(), c.height, c.width, scale, bias, params, i, j)
              .value;
      EXPECT_NEAR(y[static_cast<size_t>(i * c.width + j)], expected, 1e-5) << i << ", " << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LocalInstanceNormalizationSmooth,
    testing::Values(SmoothCase{"MidGrey720Window8", 720, 1280, 8, 0.5f, 0.02f, 0.51f},
                    SmoothCase{"MidGrey720Window384", 720, 1280, 384, 0.5f, 0.02f, 0.51f},
                    SmoothCase{"Bright720Window8", 720, 1280, 8, 5.0f, 0.02f, 5.01f},
                    SmoothCase{"Bright720Window384", 720, 1280, 384, 5.0f, 0.02f, 5.01f},
                    SmoothCase{"MidGrey2160Window8", 2160, 3840, 8, 0.5f, 0.02f, 0.51f},
                    SmoothCase{"MidGrey2160Window384", 2160, 3840, 384, 0.5f, 0.02f, 0.51f},
                    SmoothCase{"Bright2160Window8", 2160, 3840, 8, 5.0f, 0.02f, 5.01f},
                    SmoothCase{"Bright2160Window384", 2160, 3840, 384, 5.0f, 0.02f, 5.01f},
                    // Needs the pivot: without it float64 sums lose this one as well.
                    SmoothCase{"VeryBright", 720, 1280, 64, 1e4f, 0.02f, 1e4f},
                    SmoothCase{"FirstValueFarOff", 720, 1280, 256, 5.0f, 0.02f, 60.0f},
                    SmoothCase{"FirstValueNearZero", 720, 1280, 8, 50.0f, 0.02f, 0.0f}),
    [](const auto& test) { return test.param.name; });

TEST(LocalInstanceNormalization, ConstantPlaneGivesExactlyBias) {
  const NchwShape shape = {2, 2, 40, 60};
  const std::vector<float> x(*ElementCount(shape), 1234.567f);
  const std::vector<float> scale = {3.0f, -2.0f};
  const std::vector<float> bias = {0.1f, -0.7f};
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(LocalInstanceNormalization(x.data(), shape, scale.data(), bias.data(), {{7, 9}}, loop,
                                         y.data())
                  .ok());
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], bias[i / (40 * 60) % 2]);

  const std::vector<Float16> x16 = RoundTo<Float16>(x);
  const std::vector<Float16> scale16 = RoundTo<Float16>(scale);
  const std::vector<Float16> bias16 = RoundTo<Float16>(bias);
  GuardedOutput<Float16> y16(x.size());
  ASSERT_TRUE(LocalInstanceNormalization(x16.data(), shape, scale16.data(), bias16.data(), {{7, 9}},
                                         loop, y16.data())
                  .ok());
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y16[i], ToFloat(bias16[i / (40 * 60) % 2]));
}

// Where texture gives way to a flat area, the sums keep a rounding residue of either sign; with
// next to no epsilon a negative variance would show as NaN.
TEST(LocalInstanceNormalization, VarianceIsNeverNegative) {
  const NchwShape shape = {1, 1, 200, 300};
  std::vector<float> x = RandomTensor(*ElementCount(shape), -3.0f, 100.0f);
  std::fill(x.begin() + 40 * 300, x.end(), 0.3f);
  const float scale = 1.0f;
  const float bias = 0.0f;
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(
      LocalInstanceNormalization(x.data(), shape, &scale, &bias, {{7, 9}, 1e-30f}, loop, y.data())
          .ok());
  for (const float value : y.values()) ASSERT_TRUE(std::isfinite(value));
}

// The reference sums each window anew, so that nothing outside it can matter. It gives NaN for an
// infinity too; clamping the variance must not hide that.
TEST(LocalInstanceNormalization, NonFiniteReachesItsWindowsAndNoOthers) {
  for (const KernelShape& kernel_shape :
       {KernelShape{3, 3}, KernelShape{8, 5}, KernelShape{40, 12}}) {
    const NchwShape shape = {1, 3, 37, 45};
    std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
    Spoil(x.data() + 37 * 45, 37, 45);
    ExpectMatchesReference(shape, {kernel_shape}, x);
  }
}

// One plane this high is cut into bands.
TEST(LocalInstanceNormalization, BandsMatchReference) {
  const NchwShape shape = {1, 1, 700, 19};
  ExpectMatchesReference(shape, {{9, 6}});
  std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  Spoil(x.data(), shape.height, shape.width);
  ExpectMatchesReference(shape, {{9, 6}}, x);
}

TEST(LocalInstanceNormalization, LoopOrderDoesNotMatter) {
  const NchwShape shape = {3, 5, 33, 47};
  const LocalInstanceNormalizationParams params = {{8, 11}};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> scale(5, 1.5f);
  const std::vector<float> bias(5, -0.5f);
  SerialLoop serial_loop;
  ReverseLoop reverse_loop;
  ThreadedLoop threaded_loop;
  std::vector<std::vector<float>> results;
  for (ParallelLoop* loop :
       std::initializer_list<ParallelLoop*>{&serial_loop, &reverse_loop, &threaded_loop}) {
    GuardedOutput y(x.size());
    ASSERT_TRUE(Succeeded(LocalInstanceNormalization(x.data(), shape, scale.data(), bias.data(),
                                                     params, *loop, y.data())));
    results.push_back(y.values());
  }
  EXPECT_TRUE(BitIdentical(results[0], results[1]));
  EXPECT_TRUE(BitIdentical(results[0], results[2]));
}

TEST(LocalInstanceNormalization, RefusesBadArguments) {
  const std::vector<float> v(4);
  GuardedOutput y(4);
  SerialLoop loop;
  const NchwShape shape = {1, 1, 2, 2};
  const KernelShape k = {3, 3};
  const auto expect_refused = [&](const Status& status, const char* message) {
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
    EXPECT_TRUE(y.Untouched());
  };
  const auto run = [&](const float* x, const float* scale, const float* bias, float* to,
                       const LocalInstanceNormalizationParams& params) {
    return LocalInstanceNormalization(x, shape, scale, bias, params, loop, to);
  };
  const float* p = v.data();
  expect_refused(run(p, p, p, y.data(), {{3, 0}}),
                 "kernel_shape: expected a height and a width of at least 1, received [3, 0]");
  expect_refused(run(p, p, p, y.data(), {k, -1.0f}),
                 "epsilon: expected a finite value of at least 0, received -1.000000");
  expect_refused(run(p, p, p, y.data(), {k, kInfinity}),
                 "epsilon: expected a finite value of at least 0, received inf");
  expect_refused(run(p, p, p, y.data(), {k, kNaN}),
                 "epsilon: expected a finite value of at least 0, received nan");
  expect_refused(run(nullptr, p, p, y.data(), {k}),
                 "X: expected a pointer to 4 elements, received null");
  expect_refused(run(p, nullptr, p, y.data(), {k}),
                 "scale: expected a pointer to 1 elements, received null");
  expect_refused(run(p, p, nullptr, y.data(), {k}),
                 "B: expected a pointer to 1 elements, received null");
  expect_refused(run(p, p, p, nullptr, {k}), "Y: expected a pointer to 4 elements, received null");
  expect_refused(
      LocalInstanceNormalization(p, {size_t{1} << 62, 1, 2, 2}, p, p, {k}, loop, y.data()),
      "X: expected a shape that fits in memory, received "
      "[4611686018427387904, 1, 2, 2]");
}

}  // namespace
}  // namespace tlsc
