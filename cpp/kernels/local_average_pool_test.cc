#include "kernels/local_average_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/local_average_pool_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

// Compares the output of a kernel run on x, rounded to T, with the reference at every pixel of
// every plane. x and y begin `offset` elements past where they would be aligned.
template <typename T>
void ExpectMatches(const NchwShape& shape, const LocalAveragePoolParams& params,
                   const std::vector<float>& values, size_t offset) {
  const std::vector<T> rounded = RoundTo<T>(values);
  const std::vector<float> x = ToFloats(rounded);
  const ShiftedInput<T> input(rounded, offset);
  const NchwShape y_shape = LocalAveragePoolShape(shape, params);
  GuardedOutput<T> y(offset + *ElementCount(y_shape));
  SerialLoop loop;
  const Status status = LocalAveragePool(input.data(), shape, params, loop, y.data() + offset);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  size_t at = offset;
  for (size_t plane = 0; plane < shape.batch * shape.channels; ++plane) {
    const float* from = x.data() + plane * shape.height * shape.width;
    for (size_t i = 0; i < y_shape.height; ++i) {
      for (size_t j = 0; j < y_shape.width; ++j, ++at) {
        const double expected = LocalAveragePoolRef(
            from, static_cast<int64_t>(shape.height), static_cast<int64_t>(shape.width), params,
            static_cast<int64_t>(i), static_cast<int64_t>(j));
        ASSERT_TRUE(Agrees(y[at], expected, 1e-7 + RoundingError<T>(expected)))
            << y[at] << " for " << expected << " in plane " << plane << " at " << i << ", " << j;
      }
    }
  }
}

void ExpectMatchesReference(const NchwShape& shape, const LocalAveragePoolParams& params,
                            const std::vector<float>& x, size_t offset = 0) {
  {
    SCOPED_TRACE("float32");
    ExpectMatches<float>(shape, params, x, offset);
  }
  SCOPED_TRACE("float16");
  ExpectMatches<Float16>(shape, params, x, offset);
}

void ExpectMatchesReference(const NchwShape& shape, const LocalAveragePoolParams& params) {
  ExpectMatchesReference(shape, params, RandomTensor(*ElementCount(shape), -1.0f, 1.0f));
}

class LocalAveragePoolSizes : public testing::TestWithParam<WindowCase> {};

TEST_P(LocalAveragePoolSizes, ReplicateMatchesReference) {
  const WindowCase& c = GetParam();
  ExpectMatchesReference({1, 2, c.height, c.width}, {c.kernel_shape, Padding::kReplicate});
}

TEST_P(LocalAveragePoolSizes, ValidMatchesReference) {
  const WindowCase& c = GetParam();
  ExpectMatchesReference({1, 2, c.height, c.width}, {c.kernel_shape, Padding::kValid});
}

INSTANTIATE_TEST_SUITE_P(All, LocalAveragePoolSizes, testing::ValuesIn(WindowCases()),
                         WindowCaseName);

class LocalAveragePoolFast : public testing::TestWithParam<FastCase> {};

TEST_P(LocalAveragePoolFast, MatchesReference) {
  const FastCase& c = GetParam();
  const NchwShape shape = {1, 2, c.height, c.width};
  for (const Padding padding : {Padding::kReplicate, Padding::kValid}) {
    ExpectMatchesReference(shape, {c.kernel_shape, padding, c.max_stride});
    std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
    Spoil(x.data(), shape.height, shape.width);
    ExpectMatchesReference(shape, {c.kernel_shape, padding, c.max_stride}, x);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LocalAveragePoolFast, testing::ValuesIn(FastCases()), FastCaseName);

// Samples 1, 3, 5 and 7 of 0 … 9 are the last of what r = 2 takes; k = 3 / 2 = 1.
TEST(LocalAveragePool, FastModeLeavesOutTheFirstSample) {
  const std::vector<float> x = {9, 1, 2, 3, 4, 5, 6, 7};
  GuardedOutput y(8);
  SerialLoop loop;
  ASSERT_TRUE(LocalAveragePool(x.data(), {1, 1, 2, 4}, {{2, 3}, Padding::kReplicate, {{1, 2}}},
                               loop, y.data())
                  .ok());
  EXPECT_EQ(y.values(), (std::vector<float>{6, 6, 6, 6, 6, 6, 6, 6}));
}

TEST(LocalAveragePool, FastModeInBands) {
  ExpectMatchesReference({1, 1, 700, 20}, {{45, 10}, Padding::kReplicate, {{2, 2}}});
}

TEST(LocalAveragePool, FastModeRefusesPlanesWithoutSamples) {
  const std::vector<float> x(8);
  GuardedOutput y(8);
  SerialLoop loop;
  const auto run = [&](const NchwShape& shape, const LocalAveragePoolParams& params) {
    return LocalAveragePool(x.data(), shape, params, loop, y.data());
  };
  Status status = run({1, 1, 1, 8}, {{3, 3}, Padding::kReplicate, {{5, 5}}});
  EXPECT_EQ(status.message,
            "X: expected planes that leave a sample for the window in fast mode, received [1, 8]");
  status = run({1, 1, 4, 2}, {{3, 1}, Padding::kReplicate, {{4, 4}}});
  EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
  status = run({1, 1, 4, 2}, {{3, 1}, Padding::kReplicate, {{0, 4}}});
  EXPECT_EQ(status.message, "max_stride: expected two strides of at least 1, received [0, 4]");
  // Such a plane's outputs are as many as any other's, which shows in an empty batch.
  EXPECT_EQ(LocalAveragePoolShape({0, 1, 5, 5}, {{1, 9}, Padding::kReplicate, {{2, 2}}}).height,
            5u);
  EXPECT_TRUE(y.Untouched());
}

TEST(LocalAveragePool, ValidShapeCountsWindowPositions) {
  const NchwShape y = LocalAveragePoolShape({2, 3, 10, 5}, {{4, 9}, Padding::kValid});
  EXPECT_EQ(y.batch, 2u);
  EXPECT_EQ(y.channels, 3u);
  EXPECT_EQ(y.height, 7u);
  EXPECT_EQ(y.width, 1u);
}

TEST(LocalAveragePool, EvenWindowLeansToBottomRight) {
  const std::vector<float> x = {1, 2, 4, 8};
  GuardedOutput y(4);
  SerialLoop loop;
  ASSERT_TRUE(LocalAveragePool(x.data(), {1, 1, 1, 4}, {{1, 2}}, loop, y.data()).ok());
  EXPECT_EQ(y.values(), (std::vector<float>{1.5f, 3.0f, 6.0f, 6.0f}));
}

TEST(LocalAveragePool, BatchAndChannels) { ExpectMatchesReference({3, 5, 9, 11}, {{4, 5}}); }

TEST(LocalAveragePool, MorePlanesThanTasks) { ExpectMatchesReference({3, 67, 4, 5}, {{3, 2}}); }

TEST(LocalAveragePool, MisalignedTensorsMatchReference) {
  for (size_t offset = 1; offset < 16; ++offset) {
    const NchwShape shape = {1, 2, 7, 60 + offset};
    const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
    ExpectMatchesReference(shape, {{3, 5}}, x, offset);
    ExpectMatchesReference(shape, {{3, 5}, Padding::kValid}, x, offset);
  }
}

// Large enough to be written past the caches even in float16, with rows that begin anywhere.
TEST(LocalAveragePool, LargeOutputsMatchReference) {
  const NchwShape shape = {1, 9, 463, 1027};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  ExpectMatchesReference(shape, {{3, 2}}, x, 3);
  ExpectMatchesReference(shape, {{1, 3}, Padding::kValid}, x);
}

// A mean of two values of the largest magnitude does not overflow on the way; float32 has what the
// smallest halves add up to.
TEST(LocalAveragePool, Float16KeepsTheEndsOfItsRange) {
  const NchwShape shape = {1, 1, 2, 16};
  ExpectMatchesReference(shape, {{1, 2}}, std::vector<float>(32, 65504.0f));
  ExpectMatchesReference(shape, {{2, 3}}, RandomTensor(32, -0x1p-13f, 0x1p-13f));
  const std::vector<Float16> x = {{1}, {1}, {1}, {3}, {0x8001}, {0}};  // in steps of 2^-24
  GuardedOutput<Float16> y(6);
  SerialLoop loop;
  ASSERT_TRUE(LocalAveragePool(x.data(), {1, 1, 1, 6}, {{1, 2}}, loop, y.data()).ok());
  const std::vector<float> steps = {1.0f, 1.0f, 2.0f, 1.0f, -0.0f, -0.0f};  // ties go to even
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(y[i], steps[i] * 0x1p-24f) << i;
}

// Sums of the largest float32 values, and of columns of them, are far beyond float32.
TEST(LocalAveragePool, KeepsTheEndsOfFloat32) {
  const NchwShape shape = {1, 1, 12, 45};
  for (const float magnitude : kMagnitudes) {
    const std::vector<float> x = RandomOfMagnitude(12 * 45, magnitude);
    for (const KernelShape& kernel_shape : {KernelShape{5, 7}, {2, 40}, {12, 3}}) {
      for (const std::optional<MaxStride>& max_stride :
           {std::optional<MaxStride>(), std::optional<MaxStride>({2, 3})}) {
        const LocalAveragePoolParams params = {kernel_shape, Padding::kReplicate, max_stride};
        GuardedOutput y(x.size());
        SerialLoop loop;
        ASSERT_TRUE(LocalAveragePool(x.data(), shape, params, loop, y.data()).ok());
        for (size_t i = 0; i < x.size(); ++i) {
          const double exact = LocalAveragePoolRef(
              x.data(), 12, 45, params, static_cast<int64_t>(i / 45), static_cast<int64_t>(i % 45));
          ASSERT_TRUE(RoundsTo<float>(y[i], exact, 1e-6 * magnitude))
              << y[i] << " for " << exact << " at " << i << " of " << magnitude;
        }
      }
    }
  }
}

TEST(LocalAveragePool, NoElementsNoWork) {
  SerialLoop loop;
  for (const Padding padding : {Padding::kReplicate, Padding::kValid}) {
    for (const NchwShape& shape :
         {NchwShape{0, 3, 8, 8}, {2, 0, 8, 8}, {2, 3, 0, 8}, {2, 3, 8, 0}, {0, 0, 0, 0}}) {
      const LocalAveragePoolParams params = {{3, 3}, padding};
      EXPECT_EQ(ElementCount(LocalAveragePoolShape(shape, params)), 0u);
      EXPECT_TRUE(LocalAveragePool<float>(nullptr, shape, params, loop, nullptr).ok());
    }
  }
}

TEST(LocalAveragePool, LargePlaneKeepsPrecision) {
  constexpr int64_t kHeight = 2160;
  constexpr int64_t kWidth = 3840;
  const LocalAveragePoolParams params = {{384, 384}};
  const std::vector<float> x = RandomTensor(kHeight * kWidth, 4.99f, 5.01f);
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(LocalAveragePool(x.data(), {1, 1, kHeight, kWidth}, params, loop, y.data()).ok());
  // A coarse grid and the last row and column, where most additions have gone by.
  for (const int64_t i : {0, 191, 192, 1000, 1967, 1968, 2159}) {
    for (const int64_t j : {0, 191, 192, 2000, 3647, 3648, 3839}) {
      const double expected = LocalAveragePoolRef(x.data(), kHeight, kWidth, params, i, j);
      EXPECT_NEAR(y[static_cast<size_t>(i * kWidth + j)], expected, 5e-6) << i << ", " << j;
    }
  }
}

TEST(LocalAveragePool, ConstantPlaneIsExact) {
  const NchwShape shape = {1, 1, 50, 70};
  const std::vector<float> x(50 * 70, 0.1f);
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(LocalAveragePool(x.data(), shape, {{7, 9}}, loop, y.data()).ok());
  EXPECT_TRUE(BitIdentical(y.values(), x));

  const std::vector<Float16> x16 = RoundTo<Float16>(x);
  GuardedOutput<Float16> y16(x.size());
  ASSERT_TRUE(LocalAveragePool(x16.data(), shape, {{7, 9}}, loop, y16.data()).ok());
  EXPECT_TRUE(BitIdentical(y16.values(), x16));
}

// The reference sums each window anew, so that nothing outside it can matter.
TEST(LocalAveragePool, NonFiniteReachesItsWindowsAndNoOthers) {
  for (const Padding padding : {Padding::kReplicate, Padding::kValid}) {
    for (const KernelShape& kernel_shape :
         {KernelShape{3, 3}, KernelShape{8, 5}, KernelShape{1, 1}, KernelShape{40, 12}}) {
      const NchwShape shape = {1, 3, 37, 45};
      std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
      Spoil(x.data() + 37 * 45, 37, 45);
      ExpectMatchesReference(shape, {kernel_shape, padding}, x);
    }
  }
}

// One plane this high is cut into bands.
TEST(LocalAveragePool, BandsMatchReference) {
  const NchwShape shape = {1, 1, 700, 19};
  ExpectMatchesReference(shape, {{9, 6}, Padding::kReplicate});
  ExpectMatchesReference(shape, {{64, 6}, Padding::kValid});
  std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  Spoil(x.data(), shape.height, shape.width);
  ExpectMatchesReference(shape, {{9, 6}, Padding::kReplicate}, x);
}

TEST(LocalAveragePool, LoopOrderDoesNotMatter) {
  const NchwShape shape = {3, 5, 33, 47};
  const LocalAveragePoolParams params = {{8, 11}};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  GuardedOutput serial(x.size()), reverse(x.size()), threaded(x.size());
  SerialLoop serial_loop;
  ReverseLoop reverse_loop;
  ThreadedLoop threaded_loop;
  ASSERT_TRUE(Succeeded(LocalAveragePool(x.data(), shape, params, serial_loop, serial.data())));
  ASSERT_TRUE(Succeeded(LocalAveragePool(x.data(), shape, params, reverse_loop, reverse.data())));
  ASSERT_TRUE(Succeeded(LocalAveragePool(x.data(), shape, params, threaded_loop, threaded.data())));
  EXPECT_TRUE(BitIdentical(serial.values(), reverse.values()));
  EXPECT_TRUE(BitIdentical(serial.values(), threaded.values()));
}

TEST(LocalAveragePool, RefusesBadArguments) {
  struct {
    const char* message;
    KernelShape kernel_shape;
    bool has_x, has_y;
    NchwShape shape;
  } const cases[] = {
      {"kernel_shape: expected a height and a width of at least 1, received [0, 3]",
       {0, 3},
       true,
       true,
       {1, 1, 2, 2}},
      {"kernel_shape: expected a height and a width of at least 1, received [3, -1]",
       {3, -1},
       true,
       true,
       {1, 1, 2, 2}},
      {"X: expected a pointer to 4 elements, received null", {3, 3}, false, true, {1, 1, 2, 2}},
      {"Y: expected a pointer to 4 elements, received null", {3, 3}, true, false, {1, 1, 2, 2}},
      {"X: expected a shape that fits in memory, received [1, 1, 4611686018427387904, 4]",
       {3, 3},
       true,
       true,
       {1, 1, size_t{1} << 62, 4}},
  };
  for (const auto& c : cases) {
    const std::vector<float> x(4);
    GuardedOutput y(4);
    SerialLoop loop;
    const Status status =
        LocalAveragePool<float>(c.has_x ? x.data() : nullptr, c.shape, {c.kernel_shape}, loop,
                                c.has_y ? y.data() : nullptr);
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, c.message);
    EXPECT_TRUE(y.Untouched());
  }
}

TEST(LocalAveragePool, ReportsWhatTheLoopReports) {
  const std::vector<float> x(4);
  GuardedOutput y(4);
  FailingLoop loop;
  const Status status = LocalAveragePool(x.data(), {1, 1, 2, 2}, {{3, 3}}, loop, y.data());
  EXPECT_EQ(status.code, StatusCode::kInternal);
  EXPECT_EQ(status.message, "pool is gone");
}

TEST(LocalAveragePool, ReportsLackOfMemory) {
  if (kAddressSanitizer) GTEST_SKIP() << "AddressSanitizer aborts instead of throwing bad_alloc";
  const std::vector<float> x(1);
  GuardedOutput y(1);
  SerialLoop loop;
  // A row that can be addressed but not held; the kernel must notice before it reads any of it.
  const NchwShape shape = {1, 1, 1, size_t{1} << 59};
  const Status status = LocalAveragePool(x.data(), shape, {{3, 3}}, loop, y.data());
  EXPECT_EQ(status.code, StatusCode::kOutOfMemory);
  EXPECT_TRUE(y.Untouched());
}

}  // namespace
}  // namespace tlsc
