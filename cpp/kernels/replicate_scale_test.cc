#include "kernels/replicate_scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/local_average_pool.h"
#include "kernels/replicate_scale_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

// Compares the output of a kernel run on x and s, rounded to T, with the reference at every pixel
// of every plane. x, s and y begin `offset` elements past where they would be aligned.
template <typename T>
void ExpectMatches(const NchwShape& x_shape, const std::vector<float>& x_values,
                   const NchwShape& s_shape, const std::vector<float>& s_values, size_t offset) {
  const std::vector<T> rounded_x = RoundTo<T>(x_values);
  const std::vector<T> rounded_s = RoundTo<T>(s_values);
  const std::vector<float> x = ToFloats(rounded_x);
  const std::vector<float> s = ToFloats(rounded_s);
  const ShiftedInput<T> x_input(rounded_x, offset);
  const ShiftedInput<T> s_input(rounded_s, offset);
  const NchwShape y_shape = ReplicateScaleShape(x_shape, s_shape);
  GuardedOutput<T> y(offset + *ElementCount(y_shape));
  SerialLoop loop;
  const Status status =
      ReplicateScale(x_input.data(), x_shape, s_input.data(), s_shape, loop, y.data() + offset);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  size_t at = offset;
  for (size_t n = 0; n < y_shape.batch; ++n) {
    for (size_t c = 0; c < y_shape.channels; ++c) {
      for (size_t i = 0; i < y_shape.height; ++i) {
        for (size_t j = 0; j < y_shape.width; ++j, ++at) {
          const double exact = ReplicateScaleRef(x.data(), x_shape, s.data(), s_shape, n, c,
                                                 static_cast<int64_t>(i), static_cast<int64_t>(j));
          ASSERT_TRUE(Agrees(y[at], ToFloat(RoundTo<T>(exact)), 0.0))
              << y[at] << " for " << exact << " at " << n << ", " << c << ", " << i << ", " << j;
        }
      }
    }
  }
}

void ExpectMatchesReference(const NchwShape& x_shape, const std::vector<float>& x,
                            const NchwShape& s_shape, const std::vector<float>& s,
                            size_t offset = 0) {
  {
    SCOPED_TRACE("float32");
    ExpectMatches<float>(x_shape, x, s_shape, s, offset);
  }
  SCOPED_TRACE("float16");
  ExpectMatches<Float16>(x_shape, x, s_shape, s, offset);
}

void ExpectMatchesReference(const NchwShape& x_shape, const NchwShape& s_shape, size_t offset = 0) {
  ExpectMatchesReference(x_shape, RandomTensor(*ElementCount(x_shape), -1.0f, 1.0f, 1), s_shape,
                         RandomTensor(*ElementCount(s_shape), -1.0f, 1.0f, 2), offset);
}

class ReplicateScaleSizes : public testing::TestWithParam<WindowCase> {};

TEST_P(ReplicateScaleSizes, MatchesReference) {
  const WindowCase& c = GetParam();
  const NchwShape x = {1, 2, c.height, c.width};
  ExpectMatchesReference(x, LocalAveragePoolShape(x, {c.kernel_shape, Padding::kValid}));
}

INSTANTIATE_TEST_SUITE_P(All, ReplicateScaleSizes, testing::ValuesIn(WindowCases()),
                         WindowCaseName);

// Around the lengths of vectors and cache lines, with borders that end inside them or beyond.
TEST(ReplicateScale, EveryWidthMatchesReference) {
  for (size_t width = 1; width <= 70; ++width) {
    for (const size_t positions : {size_t{1}, size_t{2}, width / 4, width / 2,
                                   width - std::min<size_t>(width, 3), width - 1, width}) {
      if (positions < 1 || positions > width) continue;
      ExpectMatchesReference({1, 1, 3, width}, {1, 1, 2, positions}, width % 4);
    }
  }
}

TEST(ReplicateScale, OddBorderGoesToBottomAndRight) {
  const std::vector<float> x(4 * 5, 1.0f);
  const std::vector<float> s = {1, 2, 3};  // one row of three positions
  GuardedOutput y(x.size());
  SerialLoop loop;
  ASSERT_TRUE(ReplicateScale(x.data(), {1, 1, 4, 5}, s.data(), {1, 1, 1, 3}, loop, y.data()).ok());
  for (size_t row = 0; row < 4; ++row) {
    const std::vector<float> expected = {1, 1, 2, 3, 3};
    for (size_t column = 0; column < 5; ++column) EXPECT_EQ(y[row * 5 + column], expected[column]);
  }
  const std::vector<float> column = {1, 2};
  ASSERT_TRUE(
      ReplicateScale(x.data(), {1, 1, 5, 4}, column.data(), {1, 1, 2, 1}, loop, y.data()).ok());
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(y[i], i < 8 ? 1.0f : 2.0f) << i;
}

// What it is for: the product with a pooled branch, whichever of the two pads.
TEST(ReplicateScale, OfValidPoolIsProductWithReplicatedPool) {
  const NchwShape shape = {2, 3, 21, 34};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  for (const KernelShape& kernel_shape : {KernelShape{8, 12}, {7, 5}, {1, 1}, {64, 4}}) {
    const LocalAveragePoolParams valid = {kernel_shape, Padding::kValid};
    const NchwShape s_shape = LocalAveragePoolShape(shape, valid);
    std::vector<float> s(*ElementCount(s_shape)), replicated(x.size()), y(x.size());
    SerialLoop loop;
    ASSERT_TRUE(LocalAveragePool(x.data(), shape, valid, loop, s.data()).ok());
    ASSERT_TRUE(LocalAveragePool(x.data(), shape, {kernel_shape}, loop, replicated.data()).ok());
    ASSERT_TRUE(ReplicateScale(x.data(), shape, s.data(), s_shape, loop, y.data()).ok());
    std::transform(x.begin(), x.end(), replicated.begin(), replicated.begin(),
                   [](float a, float b) { return a * b; });
    EXPECT_TRUE(BitIdentical(y, replicated));
  }
}

TEST(ReplicateScale, KeepsTheEndsOfFloat32) {
  const NchwShape x_shape = {1, 1, 3, 45};
  const NchwShape s_shape = {1, 1, 2, 30};
  for (const float magnitude : kMagnitudes) {
    for (const float scale : kMagnitudes) {
      ExpectMatches<float>(x_shape, RandomOfMagnitude(3 * 45, magnitude, 1), s_shape,
                           RandomOfMagnitude(2 * 30, scale, 2), 1);
    }
  }
}

TEST(ReplicateScale, BroadcastsBatchAndChannels) {
  const NchwShape shapes[][2] = {
      {{3, 5, 9, 11}, {3, 5, 4, 6}}, {{3, 5, 9, 11}, {1, 5, 4, 6}}, {{3, 5, 9, 11}, {3, 1, 4, 6}},
      {{3, 5, 9, 11}, {1, 1, 4, 6}}, {{1, 5, 9, 11}, {3, 5, 4, 6}}, {{3, 1, 9, 11}, {3, 5, 4, 6}},
      {{1, 1, 9, 11}, {3, 5, 4, 6}}, {{1, 5, 9, 11}, {3, 1, 4, 6}},
  };
  for (const auto& [x, s] : shapes) {
    const NchwShape y = ReplicateScaleShape(x, s);
    EXPECT_EQ(y.batch, 3u);
    EXPECT_EQ(y.channels, 5u);
    ExpectMatchesReference(x, s);
  }
}

// Large enough to be written past the caches, in several tasks, with rows that begin anywhere.
TEST(ReplicateScale, LargeOutputsMatchReference) {
  const auto expect_matches = [](const NchwShape& x, const NchwShape& s, size_t offset = 0) {
    ExpectMatches<float>(x, RandomTensor(*ElementCount(x), -1.0f, 1.0f, 1), s,
                         RandomTensor(*ElementCount(s), -1.0f, 1.0f, 2), offset);
  };
  const NchwShape plane = {1, 1, 701, 1003};
  expect_matches(plane, {1, 24, 318, 620});
  expect_matches(plane, {1, 24, 701, 1}, 1);
  expect_matches(plane, {1, 24, 2, 999}, 5);
  expect_matches({1, 1, 2, 4}, {1, 2100000, 1, 3});  // rows shorter than a line
  expect_matches({1, 1, 1, 16800001}, {1, 1, 1, 9000000}, 3);
}

// The same in float16, of which so many elements have to be compared with something quicker: every
// image is the same, and the first, alone, is small enough to stay in the caches.
TEST(ReplicateScale, LargeFloat16OutputsMatchSmallOnes) {
  constexpr size_t kImages = 260000;
  const NchwShape x_shape = {1, 1, 2, 67};
  const std::vector<Float16> x = RoundTo<Float16>(RandomTensor(2 * 67, -1.0f, 1.0f, 1));
  const std::vector<Float16> s = RoundTo<Float16>(RandomTensor(20, -1.0f, 1.0f, 2));
  std::vector<Float16> all_s;
  for (size_t n = 0; n < kImages; ++n) all_s.insert(all_s.end(), s.begin(), s.end());
  SerialLoop loop;
  GuardedOutput<Float16> one(x.size());
  ASSERT_TRUE(ReplicateScale(x.data(), x_shape, s.data(), {1, 1, 1, 20}, loop, one.data()).ok());
  const size_t offset = 3;
  GuardedOutput<Float16> all(offset + kImages * x.size());
  ASSERT_TRUE(ReplicateScale(x.data(), x_shape, all_s.data(), {kImages, 1, 1, 20}, loop,
                             all.data() + offset)
                  .ok());
  EXPECT_TRUE(all.GuardsIntact());
  EXPECT_TRUE(all.Untouched(offset));
  for (size_t n = 0; n < kImages; ++n) {
    const Float16* image = all.data() + offset + n * x.size();
    ASSERT_EQ(std::memcmp(image, one.data(), x.size() * sizeof(Float16)), 0) << "image " << n;
  }
}

// Every value that a half can have, times factors that take products to both ends of the range and
// half way between neighbours.
TEST(ReplicateScale, EveryFloat16IsMultipliedAndRounded) {
  const NchwShape x_shape = {1, 1, 256, 256};
  std::vector<Float16> x;
  for (uint32_t bits = 0; bits < 65536; ++bits) x.push_back({static_cast<uint16_t>(bits)});
  const std::vector<float> factors = {1.0f,    -0.5f,  0.125f, 1.5f,      3.001f,   0x1p-24f,
                                      2048.0f, 0.999f, 0.0f,   kInfinity, 65504.0f, kNaN};
  for (const float factor : factors) {
    ExpectMatches<Float16>(x_shape, ToFloats(x), {1, 1, 1, 1}, {factor}, 0);
  }
}

TEST(ReplicateScale, NonFiniteIsMultipliedAsUsual) {
  const NchwShape x_shape = {1, 1, 13, 29};
  const NchwShape s_shape = {1, 1, 6, 18};
  std::vector<float> x = RandomTensor(*ElementCount(x_shape), -1.0f, 1.0f, 1);
  std::vector<float> s = RandomTensor(*ElementCount(s_shape), -1.0f, 1.0f, 2);
  Spoil(x.data(), x_shape.height, x_shape.width);
  Spoil(s.data(), s_shape.height, s_shape.width);
  x[5] = 0.0f;  // times the infinity of the corner
  ExpectMatchesReference(x_shape, x, s_shape, s);
}

TEST(ReplicateScale, NoElementsNoWork) {
  SerialLoop loop;
  const NchwShape shapes[][2] = {{{0, 3, 8, 8}, {0, 3, 4, 4}}, {{0, 3, 8, 8}, {1, 3, 4, 4}},
                                 {{2, 0, 8, 8}, {2, 0, 4, 4}}, {{2, 3, 0, 8}, {2, 3, 0, 4}},
                                 {{2, 3, 8, 0}, {2, 3, 4, 0}}, {{1, 3, 8, 8}, {0, 3, 4, 4}}};
  const std::vector<float> data(3 * 8 * 8);
  for (const auto& [x, s] : shapes) {
    EXPECT_EQ(ElementCount(ReplicateScaleShape(x, s)), 0u);
    const float* some_x = *ElementCount(x) > 0 ? data.data() : nullptr;
    const float* some_s = *ElementCount(s) > 0 ? data.data() : nullptr;
    EXPECT_TRUE(ReplicateScale<float>(some_x, x, some_s, s, loop, nullptr).ok());
  }
}

TEST(ReplicateScale, LoopOrderDoesNotMatter) {
  const NchwShape x_shape = {2, 3, 331, 147};
  const NchwShape s_shape = {2, 3, 100, 101};
  const std::vector<float> x = RandomTensor(*ElementCount(x_shape), -1.0f, 1.0f, 1);
  const std::vector<float> s = RandomTensor(*ElementCount(s_shape), -1.0f, 1.0f, 2);
  GuardedOutput serial(x.size()), reverse(x.size()), threaded(x.size());
  SerialLoop serial_loop;
  ReverseLoop reverse_loop;
  ThreadedLoop threaded_loop;
  const auto run = [&](ParallelLoop& loop, GuardedOutput<>& y) {
    ASSERT_TRUE(Succeeded(ReplicateScale(x.data(), x_shape, s.data(), s_shape, loop, y.data())));
  };
  run(serial_loop, serial);
  run(reverse_loop, reverse);
  run(threaded_loop, threaded);
  EXPECT_TRUE(BitIdentical(serial.values(), reverse.values()));
  EXPECT_TRUE(BitIdentical(serial.values(), threaded.values()));
}

// A card shares out its work by itself.
#ifndef TLSC_ON_CARD
TEST(ReplicateScale, OnePlaneIsSharedOut) {
  class CountingLoop final : public ParallelLoop {
   public:
    Status Run(size_t count, const Task& task) override {
      tasks = count;
      return SerialLoop().Run(count, task);
    }
    size_t tasks = 0;
  };
  const std::vector<float> x(512 * 512), s(1);
  std::vector<float> y(x.size());
  CountingLoop loop;
  ASSERT_TRUE(
      ReplicateScale(x.data(), {1, 1, 512, 512}, s.data(), {1, 1, 1, 1}, loop, y.data()).ok());
  EXPECT_GE(loop.tasks, 4u);
  ASSERT_TRUE(
      ReplicateScale(x.data(), {1, 1, 16, 16}, s.data(), {1, 1, 1, 1}, loop, y.data()).ok());
  EXPECT_EQ(loop.tasks, 1u);
}
#endif

TEST(ReplicateScale, RefusesBadArguments) {
  const size_t huge = size_t{1} << 62;
  struct {
    const char* message;
    NchwShape x_shape, s_shape;
    bool has_x = true, has_s = true, has_y = true;
  } const cases[] = {
      {"S: expected a batch of 2 or 1, received 3", {2, 1, 2, 2}, {3, 1, 2, 2}},
      {"S: expected a channel count of 3 or 1, received 2", {1, 3, 2, 2}, {1, 2, 2, 2}},
      {"S: expected a plane that is not empty within [2, 2], received [3, 2]",
       {1, 1, 2, 2},
       {1, 1, 3, 2}},
      {"S: expected a plane that is not empty within [2, 2], received [2, 3]",
       {1, 1, 2, 2},
       {1, 1, 2, 3}},
      {"S: expected a plane that is not empty within [2, 2], received [0, 2]",
       {1, 1, 2, 2},
       {1, 1, 0, 2}},
      {"S: expected a plane that is not empty within [2, 2], received [2, 0]",
       {1, 1, 2, 2},
       {1, 1, 2, 0}},
      {"X: expected a pointer to 4 elements, received null", {1, 1, 2, 2}, {1, 1, 2, 2}, false},
      {"S: expected a pointer to 2 elements, received null",
       {1, 1, 2, 2},
       {1, 1, 1, 2},
       true,
       false},
      {"Y: expected a pointer to 4 elements, received null",
       {1, 1, 2, 2},
       {1, 1, 2, 2},
       true,
       true,
       false},
      {"X: expected a shape that fits in memory, received [1, 1, 4611686018427387904, 4]",
       {1, 1, huge, 4},
       {1, 1, 1, 1}},
      {"S: expected a shape that fits in memory, received [4611686018427387904, 1, 2, 2]",
       {1, 1, 2, 2},
       {huge, 1, 2, 2}},
      {"Y: expected a shape that fits in memory, received [288230376151711744, 2, 2, 2]",
       {1, 2, 2, 2},
       {size_t{1} << 58, 1, 1, 1}},
  };
  for (const auto& c : cases) {
    const std::vector<float> x(8), s(8);
    GuardedOutput y(8);
    SerialLoop loop;
    const Status status =
        ReplicateScale<float>(c.has_x ? x.data() : nullptr, c.x_shape, c.has_s ? s.data() : nullptr,
                              c.s_shape, loop, c.has_y ? y.data() : nullptr);
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, c.message);
    EXPECT_TRUE(y.Untouched());
  }
}

TEST(ReplicateScale, ReportsWhatTheLoopReports) {
  const std::vector<float> x(4), s(1);
  GuardedOutput y(4);
  FailingLoop loop;
  const Status status =
      ReplicateScale(x.data(), {1, 1, 2, 2}, s.data(), {1, 1, 1, 1}, loop, y.data());
  EXPECT_EQ(status.code, StatusCode::kInternal);
  EXPECT_EQ(status.message, "pool is gone");
}

}  // namespace
}  // namespace tlsc
