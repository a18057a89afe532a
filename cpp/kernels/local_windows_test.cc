#include "kernels/local_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/local_windows_ref.h"
#include "kernels/test_support.h"
#include "kernels/window_tiles.h"

namespace tlsc {
namespace {

TEST(WindowTiles, AreThoseOfThePublishedLoop) {
  for (size_t length = 1; length < 300; ++length) {
    for (size_t kernel = 1; kernel <= length + 1; ++kernel) {
      const WindowTiles tiles = MakeWindowTiles(length, static_cast<int64_t>(kernel));
      const std::vector<size_t> starts = WindowStartsRef(length, kernel);
      ASSERT_EQ(tiles.count, starts.size()) << length << ", " << kernel;
      for (size_t i = 0; i < starts.size(); ++i) ASSERT_EQ(tiles.Begin(i), starts[i]);
    }
  }
}

TEST(WindowTiles, KnowWhichOfThemHoldAPixel) {
  for (size_t length = 1; length < 120; ++length) {
    for (size_t kernel = 1; kernel <= length + 1; ++kernel) {
      const WindowTiles tiles = MakeWindowTiles(length, static_cast<int64_t>(kernel));
      for (size_t pixel = 0; pixel < length; ++pixel) {
        std::vector<size_t> over;
        for (size_t i = 0; i < tiles.count; ++i) {
          if (tiles.Begin(i) <= pixel && pixel < tiles.End(i)) over.push_back(i);
        }
        ASSERT_LE(over.size(), kMostTilesPerPixel) << length << ", " << kernel << ", " << pixel;
        ASSERT_EQ(tiles.FirstOver(pixel), over.front())
            << length << ", " << kernel << ", " << pixel;
        ASSERT_EQ(tiles.EndOver(pixel), over.back() + 1)
            << length << ", " << kernel << ", " << pixel;
      }
    }
  }
}

TEST(WindowTiles, OfAPieceAreThoseOfTheWholeThatLieInIt) {
  for (const size_t whole : std::vector<size_t>{1, 7, 40, 61, 96, 143}) {
    for (const size_t kernel : std::vector<size_t>{1, 2, 5, 13, 20, 31, 60, 96, 200}) {
      const std::vector<size_t> starts = WindowStartsRef(whole, kernel);
      const size_t window = std::min(kernel, whole);
      for (size_t begin = 0; begin + window <= whole; begin += begin < 9 ? 1 : 7) {
        for (size_t length = window; begin + length <= whole;
             length += length < window + 9 ? 1 : 8) {
          const WindowTiles tiles =
              MakeWindowTiles(length, static_cast<int64_t>(kernel), {begin, whole});
          ASSERT_EQ(tiles.window, window);
          for (size_t i = 0; i < tiles.count; ++i) ASSERT_LE(tiles.End(i), length);
          for (size_t pixel = 0; pixel < length; ++pixel) {
            std::vector<size_t> over;  // where windows of the whole that hold it begin in the piece
            for (const size_t start : starts) {
              const bool is_in = start >= begin && start + window <= begin + length;
              const size_t at = begin + pixel;
              if (is_in && start <= at && at < start + window) over.push_back(start - begin);
            }
            std::vector<size_t> found;
            for (size_t i = tiles.FirstOver(pixel); i < tiles.EndOver(pixel); ++i) {
              found.push_back(tiles.Begin(i));
              ASSERT_TRUE(tiles.Begin(i) <= pixel && pixel < tiles.End(i));
            }
            const std::string place = std::to_string(whole) + ", " + std::to_string(kernel) + ", " +
                                      std::to_string(begin) + ", " + std::to_string(length) + ", " +
                                      std::to_string(pixel);
            if (over.empty()) {
              ASSERT_EQ(found.size(), 1u) << place;
              ASSERT_TRUE(found[0] == 0 || found[0] == length - window) << place;
            } else {
              ASSERT_EQ(found, over) << place;
            }
            const size_t until = tiles.SameUntil(pixel);
            ASSERT_GT(until, pixel) << place;
            ASSERT_LE(until, length) << place;
            for (size_t other = pixel; other < until; ++other) {
              ASSERT_EQ(tiles.FirstOver(other), tiles.FirstOver(pixel)) << place;
              ASSERT_EQ(tiles.EndOver(other), tiles.EndOver(pixel)) << place;
            }
          }
        }
      }
    }
  }
}

// Cuts x, and compares every element with where it must come from.
template <typename T>
void ExpectPartitions(const NchwShape& shape, const KernelShape& kernel_shape,
                      const std::vector<float>& values, size_t offset) {
  const std::vector<T> rounded = RoundTo<T>(values);
  const std::vector<float> x = ToFloats(rounded);
  const ShiftedInput<T> input(rounded, offset);
  const NchwShape y_shape = LocalWindowPartitionShape(shape, kernel_shape);
  GuardedOutput<T> y(offset + *ElementCount(y_shape));
  SerialLoop loop;
  const Status status =
      LocalWindowPartition(input.data(), shape, kernel_shape, loop, y.data() + offset);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  size_t at = offset;
  for (size_t n = 0; n < shape.batch; ++n) {
    for (const size_t top : WindowStartsRef(shape.height, static_cast<size_t>(kernel_shape[0]))) {
      for (const size_t left : WindowStartsRef(shape.width, static_cast<size_t>(kernel_shape[1]))) {
        for (size_t c = 0; c < shape.channels; ++c) {
          for (size_t i = 0; i < y_shape.height; ++i) {
            for (size_t j = 0; j < y_shape.width; ++j, ++at) {
              const size_t row = (n * shape.channels + c) * shape.height + top + i;
              ASSERT_TRUE(Agrees(y[at], x[row * shape.width + left + j], 0.0)) << at;
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(at, offset + *ElementCount(y_shape));
}

// Merges windows of values that have nothing to do with each other.
template <typename T>
void ExpectMerges(const NchwShape& shape, const NchwShape& p_shape,
                  const std::vector<float>& values, size_t offset) {
  const std::vector<T> rounded = RoundTo<T>(values);
  const std::vector<float> p = ToFloats(rounded);
  const ShiftedInput<T> input(rounded, offset);
  GuardedOutput<T> y(offset + *ElementCount(shape));
  SerialLoop loop;
  const Status status = LocalWindowMerge(input.data(), p_shape, shape, loop, y.data() + offset);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  size_t at = offset;
  for (size_t n = 0; n < shape.batch; ++n) {
    for (size_t c = 0; c < shape.channels; ++c) {
      for (size_t i = 0; i < shape.height; ++i) {
        for (size_t j = 0; j < shape.width; ++j, ++at) {
          const double exact = LocalWindowMergeRef(p.data(), p_shape, shape, n, c, i, j);
          ASSERT_TRUE(Agrees(y[at], exact, 1e-6 + RoundingError<T>(exact)))
              << y[at] << " for " << exact << " at " << n << ", " << c << ", " << i << ", " << j;
        }
      }
    }
  }
}

void ExpectMatchesReference(const NchwShape& shape, const KernelShape& kernel_shape,
                            size_t offset = 0) {
  const NchwShape p_shape = LocalWindowPartitionShape(shape, kernel_shape);
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f, 1);
  const std::vector<float> p = RandomTensor(*ElementCount(p_shape), -1.0f, 1.0f, 2);
  {
    SCOPED_TRACE("float32");
    ExpectPartitions<float>(shape, kernel_shape, x, offset);
    ExpectMerges<float>(shape, p_shape, p, offset);
  }
  SCOPED_TRACE("float16");
  ExpectPartitions<Float16>(shape, kernel_shape, x, offset);
  ExpectMerges<Float16>(shape, p_shape, p, offset);
}

class LocalWindowsSizes : public testing::TestWithParam<WindowCase> {};

TEST_P(LocalWindowsSizes, MatchReference) {
  const WindowCase& c = GetParam();
  ExpectMatchesReference({2, 2, c.height, c.width}, c.kernel_shape);
}

INSTANTIATE_TEST_SUITE_P(All, LocalWindowsSizes, testing::ValuesIn(WindowCases()), WindowCaseName);

// Around the lengths of vectors, with overlaps of every kind: one pixel, almost all, three deep.
TEST(LocalWindows, EveryWidthMatchesReference) {
  for (size_t width = 1; width <= 70; ++width) {
    for (const size_t window : {size_t{1}, width / 3 + 1, width / 2, width / 2 + 1,
                                width - std::min<size_t>(width, 3), width - 1, width}) {
      if (window < 1) continue;
      ExpectMatchesReference({1, 1, 5, width}, {2, static_cast<int64_t>(window)}, width % 4);
    }
  }
}

TEST(LocalWindows, BatchesMatchReference) {
  ExpectMatchesReference({3, 5, 23, 31}, {10, 12});
  ExpectMatchesReference({1, 1, 301, 203}, {96, 80});  // several tasks
}

// Windows that were cut from one image agree wherever they overlap, and so give it back.
TEST(LocalWindows, MergeUndoesPartition) {
  const NchwShape shape = {2, 3, 61, 47};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  for (const KernelShape& kernel_shape : {KernelShape{20, 17}, {31, 24}, {61, 47}, {7, 400}}) {
    const NchwShape p_shape = LocalWindowPartitionShape(shape, kernel_shape);
    std::vector<float> p(*ElementCount(p_shape)), y(x.size());
    SerialLoop loop;
    ASSERT_TRUE(LocalWindowPartition(x.data(), shape, kernel_shape, loop, p.data()).ok());
    ASSERT_TRUE(LocalWindowMerge(p.data(), p_shape, shape, loop, y.data()).ok());
    for (size_t i = 0; i < x.size(); ++i) ASSERT_FLOAT_EQ(x[i], y[i]) << i;
  }
}

// Cuts, scales each window by its own sum, and merges.
std::vector<float> ScaledByWindow(const std::vector<float>& x, const NchwShape& shape,
                                  const KernelShape& kernel_shape, const PlanePlace& place) {
  const NchwShape p_shape = LocalWindowPartitionShape(shape, kernel_shape, place);
  std::vector<float> p(*ElementCount(p_shape)), y(x.size());
  SerialLoop loop;
  EXPECT_TRUE(LocalWindowPartition(x.data(), shape, kernel_shape, loop, p.data(), place).ok());
  const size_t plane = p_shape.height * p_shape.width;
  for (size_t begin = 0; begin < p.size(); begin += plane) {
    float sum = 0;
    for (size_t i = 0; i < plane; ++i) sum += p[begin + i];
    for (size_t i = 0; i < plane; ++i) p[begin + i] *= sum;
  }
  EXPECT_TRUE(LocalWindowMerge(p.data(), p_shape, shape, loop, y.data(), place).ok());
  return y;
}

// Of a piece every pixel whose windows all lie in it comes out as in the whole.
TEST(LocalWindows, PiecesComeOutLikeTheWhole) {
  const size_t height = 93, width = 71;
  const KernelShape kernel_shape = {20, 17};
  const NchwShape shape = {2, 2, height, width};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> whole = ScaledByWindow(x, shape, kernel_shape, {});
  const std::vector<size_t> rows = WindowStartsRef(height, 20);
  const std::vector<size_t> columns = WindowStartsRef(width, 17);
  const auto sees_all = [](const std::vector<size_t>& starts, size_t window, size_t at,
                           size_t begin, size_t end) {
    return std::all_of(starts.begin(), starts.end(), [&](size_t start) {
      const bool holds = start <= at && at < start + window;
      return !holds || (start >= begin && start + window <= end);
    });
  };
  for (const auto& [top, left, down, across] : std::vector<std::array<size_t, 4>>{
           {0, 0, 93, 71}, {0, 0, 50, 40}, {16, 8, 60, 50}, {33, 30, 60, 41}, {7, 5, 20, 17}}) {
    const NchwShape piece_shape = {2, 2, down, across};
    std::vector<float> piece;
    for (size_t plane = 0; plane < 4; ++plane) {
      for (size_t i = 0; i < down; ++i) {
        const auto row =
            x.begin() + static_cast<std::ptrdiff_t>((plane * height + top + i) * width + left);
        piece.insert(piece.end(), row, row + static_cast<std::ptrdiff_t>(across));
      }
    }
    const PlanePlace place = {{top, height}, {left, width}};
    const std::vector<float> made = ScaledByWindow(piece, piece_shape, kernel_shape, place);
    size_t compared = 0;
    for (size_t plane = 0; plane < 4; ++plane) {
      for (size_t i = 0; i < down; ++i) {
        for (size_t j = 0; j < across; ++j) {
          const float value = made[(plane * down + i) * across + j];
          ASSERT_TRUE(std::isfinite(value));
          if (!sees_all(rows, 20, top + i, top, top + down)) continue;
          if (!sees_all(columns, 17, left + j, left, left + across)) continue;
          ASSERT_EQ(value, whole[(plane * height + top + i) * width + left + j]);
          ++compared;
        }
      }
    }
    EXPECT_TRUE(compared > 0 || down == 20);
  }
}

TEST(LocalWindows, RefusePlacesThatNoPieceHas) {
  std::vector<float> x(4 * 5), y(400);
  const NchwShape shape = {1, 1, 4, 5};
  SerialLoop loop;
  struct {
    PlanePlace place;
    KernelShape kernel_shape;
    const char* message;
  } const cases[] = {
      {{{7, 10}, {0, 5}},
       {2, 2},
       "place: expected planes within [10, 5], received [4, 5] at [7, 0]"},
      {{{0, 4}, {SIZE_MAX, 9}},
       {2, 2},
       "place: expected planes within [4, 9], received [4, 5] at [0, 18446744073709551615]"},
      {{{0, 3}, {0, 5}}, {2, 2}, "place: expected planes within [3, 5], received [4, 5] at [0, 0]"},
      {{{0, 8}, {0, 5}},
       {5, 2},
       "place: expected pieces no smaller than windows of [5, 2], received [4, 5]"},
  };
  for (const auto& [place, kernel_shape, message] : cases) {
    const Status status =
        LocalWindowPartition(x.data(), shape, kernel_shape, loop, y.data(), place);
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
  }
  const Status merged =
      LocalWindowMerge(x.data(), {1, 1, 2, 5}, shape, loop, y.data(), {{7, 10}, {0, 5}});
  EXPECT_EQ(merged.message, "place: expected planes within [10, 5], received [4, 5] at [7, 0]");
}

TEST(LocalWindows, NonFiniteStaysAtItsPixel) {
  const NchwShape shape = {1, 1, 21, 29};
  const NchwShape p_shape = LocalWindowPartitionShape(shape, {12, 13});
  std::vector<float> p = RandomTensor(*ElementCount(p_shape), -1.0f, 1.0f, 2);
  Spoil(p.data(), p_shape.height, p_shape.width);
  ExpectMerges<float>(shape, p_shape, p, 0);
  ExpectMerges<Float16>(shape, p_shape, p, 0);
  std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f, 1);
  Spoil(x.data(), shape.height, shape.width);
  ExpectPartitions<float>(shape, {12, 13}, x, 0);
  ExpectPartitions<Float16>(shape, {12, 13}, x, 0);
}

// The sum of nine windows may be beyond float32 where their mean is not.
TEST(LocalWindows, MergeKeepsTheEndsOfFloat32) {
  const NchwShape shape = {1, 1, 21, 70};
  for (const KernelShape& kernel_shape : {KernelShape{20, 69}, {11, 36}}) {
    const NchwShape p_shape = LocalWindowPartitionShape(shape, kernel_shape);
    for (const float magnitude : kMagnitudes) {
      std::vector<float> p = RandomOfMagnitude(*ElementCount(p_shape), magnitude);
      for (size_t i = 0; i < p.size(); i += 3) p[i] = magnitude;
      GuardedOutput y(*ElementCount(shape));
      SerialLoop loop;
      ASSERT_TRUE(LocalWindowMerge(p.data(), p_shape, shape, loop, y.data()).ok());
      for (size_t i = 0; i < 21 * 70; ++i) {
        const double exact = LocalWindowMergeRef(p.data(), p_shape, shape, 0, 0, i / 70, i % 70);
        ASSERT_TRUE(RoundsTo<float>(y[i], exact, 1e-6 * magnitude))
            << y[i] << " for " << exact << " at " << i << " of " << magnitude;
      }
    }
  }
}

TEST(LocalWindows, NoElementsNoWork) {
  SerialLoop loop;
  for (const NchwShape& shape :
       {NchwShape{0, 3, 8, 8}, {2, 0, 8, 8}, {2, 3, 0, 8}, {2, 3, 8, 0}, {0, 0, 0, 0}}) {
    const NchwShape p_shape = LocalWindowPartitionShape(shape, {4, 4});
    EXPECT_EQ(ElementCount(p_shape), 0u);
    EXPECT_TRUE(LocalWindowPartition<float>(nullptr, shape, {4, 4}, loop, nullptr).ok());
    EXPECT_TRUE(LocalWindowMerge<float>(nullptr, p_shape, shape, loop, nullptr).ok());
  }
}

TEST(LocalWindows, LoopOrderDoesNotMatter) {
  const NchwShape shape = {2, 3, 131, 147};
  const NchwShape p_shape = LocalWindowPartitionShape(shape, {50, 61});
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f, 1);
  const std::vector<float> p = RandomTensor(*ElementCount(p_shape), -1.0f, 1.0f, 2);
  SerialLoop serial;
  ReverseLoop reverse;
  ThreadedLoop threaded;
  const auto partition = [&](ParallelLoop& loop) {
    GuardedOutput y(p.size());
    EXPECT_TRUE(Succeeded(LocalWindowPartition(x.data(), shape, {50, 61}, loop, y.data())));
    return y.values();
  };
  const auto merge = [&](ParallelLoop& loop) {
    GuardedOutput y(x.size());
    EXPECT_TRUE(Succeeded(LocalWindowMerge(p.data(), p_shape, shape, loop, y.data())));
    return y.values();
  };
  EXPECT_TRUE(BitIdentical(partition(serial), partition(reverse)));
  EXPECT_TRUE(BitIdentical(partition(serial), partition(threaded)));
  EXPECT_TRUE(BitIdentical(merge(serial), merge(reverse)));
  EXPECT_TRUE(BitIdentical(merge(serial), merge(threaded)));
}

TEST(LocalWindows, PartitionRefusesBadArguments) {
  const size_t huge = size_t{1} << 62;
  struct {
    const char* message;
    NchwShape shape;
    KernelShape kernel_shape;
    bool has_x = true, has_y = true;
  } const cases[] = {
      {"kernel_shape: expected a height and a width of at least 1, received [0, 2]",
       {1, 1, 2, 2},
       {0, 2}},
      {"kernel_shape: expected a height and a width of at least 1, received [2, -1]",
       {1, 1, 2, 2},
       {2, -1}},
      {"X: expected a shape that fits in memory, received [1, 1, 4611686018427387904, 4]",
       {1, 1, huge, 4},
       {2, 2}},
      {"Y: expected a shape that fits in memory, received [4, 1, 1, 576460752303423486]",
       {1, 1, 2, (size_t{1} << 59) - 1},
       {1, (int64_t{1} << 59) - 2}},
      {"X: expected images whose windows can be counted, received 4611686018427387904 images of "
       "[4, 4]",
       {huge, 0, 4, 4},
       {1, 1}},
      {"X: expected a pointer to 4 elements, received null", {1, 1, 2, 2}, {2, 2}, false},
      {"Y: expected a pointer to 4 elements, received null", {1, 1, 2, 2}, {1, 1}, true, false},
  };
  for (const auto& c : cases) {
    const std::vector<float> x(4);
    GuardedOutput y(4);
    SerialLoop loop;
    const Status status = LocalWindowPartition<float>(
        c.has_x ? x.data() : nullptr, c.shape, c.kernel_shape, loop, c.has_y ? y.data() : nullptr);
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, c.message);
    EXPECT_TRUE(y.Untouched());
  }
}

TEST(LocalWindows, MergeRefusesBadArguments) {
  const size_t huge = size_t{1} << 62;
  struct {
    const char* message;
    NchwShape p_shape, x_shape;
    bool has_p = true, has_y = true;
  } const cases[] = {
      {"P: expected 3 channels, received 2", {1, 2, 2, 2}, {1, 3, 2, 2}},
      {"P: expected windows that are not empty within [2, 2], received [3, 2]",
       {1, 1, 3, 2},
       {1, 1, 2, 2}},
      {"P: expected windows that are not empty within [2, 2], received [2, 0]",
       {1, 1, 2, 0},
       {1, 1, 2, 2}},
      {"P: expected 8 windows, received 4", {4, 1, 1, 1}, {2, 1, 2, 2}},
      {"X: expected a shape that fits in memory, received [1, 1, 4611686018427387904, 4]",
       {1, 1, 1, 1},
       {1, 1, huge, 4}},
      {"P: expected a pointer to 4 elements, received null", {1, 1, 2, 2}, {1, 1, 2, 2}, false},
      {"Y: expected a pointer to 4 elements, received null",
       {1, 1, 2, 2},
       {1, 1, 2, 2},
       true,
       false},
  };
  for (const auto& c : cases) {
    const std::vector<float> p(4);
    GuardedOutput y(4);
    SerialLoop loop;
    const Status status = LocalWindowMerge<float>(c.has_p ? p.data() : nullptr, c.p_shape,
                                                  c.x_shape, loop, c.has_y ? y.data() : nullptr);
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, c.message);
    EXPECT_TRUE(y.Untouched());
  }
}

TEST(LocalWindows, ReportWhatTheLoopReports) {
  const std::vector<float> x(4);
  GuardedOutput y(4);
  FailingLoop loop;
  const Status cut = LocalWindowPartition(x.data(), {1, 1, 2, 2}, {2, 2}, loop, y.data());
  EXPECT_EQ(cut.code, StatusCode::kInternal);
  EXPECT_EQ(cut.message, "pool is gone");
  const Status merged = LocalWindowMerge(x.data(), {1, 1, 2, 2}, {1, 1, 2, 2}, loop, y.data());
  EXPECT_EQ(merged.code, StatusCode::kInternal);
  EXPECT_EQ(merged.message, "pool is gone");
}

}  // namespace
}  // namespace tlsc
