#include "kernels/fill_hidden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/test_support.h"

namespace tlsc {
namespace {

// By the definition: the mean of what is visible in the smallest square that has any.
float FillRef(const std::vector<float>& planes, const std::vector<uint8_t>& alpha, size_t channel,
              size_t height, size_t width, size_t row, size_t column) {
  for (size_t side = 2;; side *= 2) {
    double sum = 0;
    size_t count = 0;
    const size_t top = row / side * side;
    const size_t left = column / side * side;
    for (size_t y = top; y < std::min(height, top + side); ++y) {
      for (size_t x = left; x < std::min(width, left + side); ++x) {
        if (alpha[y * width + x] == 0) continue;
        sum += double{planes[(channel * height + y) * width + x]};
        ++count;
      }
    }
    if (count > 0) return static_cast<float>(sum / static_cast<double>(count));
  }
}

TEST(FillHidden, TakesTheMeanOfTheSmallestSquareThatHasVisiblePixels) {
  for (const size_t height : std::vector<size_t>{1, 2, 5, 16, 37}) {
    for (const size_t width : std::vector<size_t>{1, 3, 8, 41}) {
      for (const float share : {0.02f, 0.5f, 0.97f}) {
        const size_t area = height * width;
        const std::vector<float> given = RandomTensor(3 * area, 0.0f, 1.0f);
        const std::vector<float> chance = RandomTensor(area, 0.0f, 1.0f, 7);
        std::vector<uint8_t> alpha(area);
        for (size_t i = 0; i < area; ++i) alpha[i] = chance[i] < share ? 9 : 0;
        alpha[area / 2] = 1;
        std::vector<float> filled = given;
        ASSERT_TRUE(FillHidden(filled.data(), 3, height, width, alpha.data()).ok());
        for (size_t i = 0; i < filled.size(); ++i) {
          const size_t pixel = i % area;
          const float expected = alpha[pixel] != 0 ? given[i]
                                                   : FillRef(given, alpha, i / area, height, width,
                                                             pixel / width, pixel % width);
          ASSERT_NEAR(filled[i], expected, alpha[pixel] != 0 ? 0 : 1e-5) << i;
        }
      }
    }
  }
}

TEST(FillHidden, DoesNotDependOnWhatIsHidden) {
  const size_t area = 20 * 30;
  std::vector<uint16_t> alpha(area, 0);
  for (size_t i = 100; i < 400; i += 3) alpha[i] = 500;
  std::vector<float> one = RandomTensor(area, 0.0f, 1.0f);
  std::vector<float> other = one;
  for (size_t i = 0; i < area; ++i) {
    if (alpha[i] == 0) other[i] = kNaN;
  }
  ASSERT_TRUE(FillHidden(one.data(), 1, 20, 30, alpha.data()).ok());
  ASSERT_TRUE(FillHidden(other.data(), 1, 20, 30, alpha.data()).ok());
  EXPECT_EQ(one, other);
}

TEST(FillHidden, LeavesAnImageOfWhichNothingIsVisible) {
  const std::vector<float> given = RandomTensor(12, 0.0f, 1.0f);
  const std::vector<uint8_t> alpha(12, 0);
  std::vector<float> filled = given;
  ASSERT_TRUE(FillHidden(filled.data(), 1, 3, 4, alpha.data()).ok());
  EXPECT_EQ(filled, given);
}

}  // namespace
}  // namespace tlsc
