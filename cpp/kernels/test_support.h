#ifndef TLSC_KERNELS_TEST_SUPPORT_H_
#define TLSC_KERNELS_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/nchw_shape.h"
#include "base/status.h"
#include "kernels/test_tensors.h"
#include "kernels/window.h"

// What the tests of several kernels share.
namespace tlsc {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#else
inline constexpr bool kAddressSanitizer = false;
#endif

// For assertions: a failure says why, by which a test is also skipped on instruction sets that the
// processor lacks.
inline testing::AssertionResult Succeeded(const Status& status) {
  if (status.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << status.message;
}

// Deterministic on every platform, unlike std::uniform_real_distribution.
inline std::vector<float> RandomTensor(size_t elements, float low, float high, uint32_t seed = 1) {
  std::mt19937 bits(seed);
  std::vector<float> values(elements);
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(bits() >> 8) * 0x1p-24f;
  }
  return values;
}

// A plane size and a window, as a test parameter.
struct WindowCase {
  size_t height, width;
  KernelShape kernel_shape;
};

inline std::string WindowCaseName(const testing::TestParamInfo<WindowCase>& info) {
  const WindowCase& c = info.param;
  return std::to_string(c.height) + "x" + std::to_string(c.width) + "Window" +
         std::to_string(c.kernel_shape[0]) + "x" + std::to_string(c.kernel_shape[1]);
}

// Every plane height and width of {1, k - 1, k, k + 1, 2k + 1} for odd, even and non-square
// windows; this includes windows larger than the plane in one direction and in both.
inline std::vector<WindowCase> WindowCases() {
  const KernelShape kernel_shapes[] = {{1, 1}, {2, 2}, {3, 3}, {4, 4},  {7, 7},
                                       {8, 8}, {1, 6}, {5, 2}, {3, 40}, {40, 3}};
  std::vector<WindowCase> cases;
  for (const KernelShape& kernel_shape : kernel_shapes) {
    const auto sizes = [](int64_t k) -> std::vector<int64_t> {
      if (k == 1) return {1, 2, 5};
      if (k == 2) return {1, 2, 3, 5};
      return {1, k - 1, k, k + 1, 2 * k + 1};
    };
    for (const int64_t height : sizes(kernel_shape[0])) {
      for (const int64_t width : sizes(kernel_shape[1])) {
        cases.push_back({static_cast<size_t>(height), static_cast<size_t>(width), kernel_shape});
      }
    }
  }
  return cases;
}

// Planes whose sides divide by 5, 4, 3, 2 and by none of them, with windows of less than the plane,
// of more than one side and of more than both, and every stride that may be allowed.
struct FastCase {
  size_t height, width;
  KernelShape kernel_shape;
  MaxStride max_stride;
};

inline std::vector<FastCase> FastCases() {
  std::vector<FastCase> cases;
  for (const auto& [height, width] : std::vector<std::pair<size_t, size_t>>{
           {25, 32}, {40, 21}, {24, 34}, {37, 30}, {32, 59}, {60, 11}}) {
    for (const KernelShape& kernel_shape :
         {KernelShape{9, 12}, {5, 5}, {16, 300}, {300, 7}, {24, 20}, {300, 300}}) {
      for (const MaxStride& max_stride : {MaxStride{5, 5}, {1, 1}, {2, 3}, {4, 2}}) {
        cases.push_back({height, width, kernel_shape, max_stride});
      }
    }
  }
  return cases;
}

inline std::string FastCaseName(const testing::TestParamInfo<FastCase>& info) {
  const FastCase& c = info.param;
  return std::to_string(c.height) + "x" + std::to_string(c.width) + "Window" +
         std::to_string(c.kernel_shape[0]) + "x" + std::to_string(c.kernel_shape[1]) + "Stride" +
         std::to_string(c.max_stride[0]) + "x" + std::to_string(c.max_stride[1]);
}

// Puts values that are not finite here and there into a plane: corners, neighbours of both signs,
// an edge.
inline void Spoil(float* plane, size_t height, size_t width) {
  plane[0] = kInfinity;
  plane[height / 2 * width + width / 2] = -kInfinity;
  plane[height / 2 * width + width / 2 + 1] = kInfinity;
  plane[(height - 1) * width + width / 3] = kNaN;
  plane[height / 4 * width + width - 1] = -kInfinity;
}

// Sizes of values from the smallest that float32 has to the largest.
inline constexpr float kMagnitudes[] = {0x1p-140f,
                                        0x1p-126f,
                                        0x1p-100f,
                                        0x1p-76f,
                                        0x1p-63f,
                                        0x1p-40f,
                                        1.0f,
                                        0x1p40f,
                                        0x1p63f,
                                        0x1p76f,
                                        0x1p100f,
                                        0x1p126f,
                                        std::numeric_limits<float>::max()};

// Random values of either sign and of a size.
inline std::vector<float> RandomOfMagnitude(size_t elements, float magnitude, uint32_t seed = 1) {
  std::vector<float> values = RandomTensor(elements, -1.0f, 1.0f, seed);
  for (float& value : values) value *= magnitude;
  return values;
}

// Normalizes values of every size, with scales of every size, with and without an epsilon:
//   run(x, scale, bias, epsilon, y)         is the kernel on one channel's scale and bias for all,
//   ref(x, scale, bias, epsilon, i)         what element i of the output has to be.
template <typename Run, typename Ref>
void ExpectNormalizesEveryMagnitude(size_t elements, const Run& run, const Ref& ref) {
  for (const float magnitude : kMagnitudes) {
    const std::vector<float> x = RandomOfMagnitude(elements, magnitude);
    for (const float scale : kMagnitudes) {
      const float bias = -0.5f * scale;
      for (const float epsilon : {0.0f, 1e-5f, 1e38f}) {
        SCOPED_TRACE(testing::Message() << magnitude << ", " << scale << ", " << epsilon);
        GuardedOutput y(elements);
        const Status status = run(x.data(), scale, bias, epsilon, y.data());
        ASSERT_TRUE(status.ok()) << status.message;
        EXPECT_TRUE(y.GuardsIntact());
        for (size_t i = 0; i < elements; ++i) {
          const double exact = ref(x.data(), scale, bias, epsilon, i);
          const double error = 1e-5 * std::max<double>(scale, std::abs(exact - bias));
          ASSERT_TRUE(RoundsTo<float>(y[i], exact, error))
              << y[i] << " for " << exact << " at " << i;
        }
      }
    }
  }
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_TEST_SUPPORT_H_
