#ifndef TLSC_KERNELS_TEST_SUPPORT_H_
#define TLSC_KERNELS_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
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

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class SerialLoop final : public ParallelLoop {
 public:
  Status Run(size_t count, const Task& task) override {
    for (size_t i = 0; i < count; ++i) task(i);
    return {};
  }
};

class ReverseLoop final : public ParallelLoop {
 public:
  Status Run(size_t count, const Task& task) override {
    for (size_t i = count; i > 0; --i) task(i - 1);
    return {};
  }
};

class ThreadedLoop final : public ParallelLoop {
 public:
  Status Run(size_t count, const Task& task) override {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i) threads.emplace_back(task, i);
    for (std::thread& thread : threads) thread.join();
    return {};
  }
};

class FailingLoop final : public ParallelLoop {
 public:
  Status Run(size_t, const Task&) override { return {StatusCode::kInternal, "pool is gone"}; }
};

// Deterministic on every platform, unlike std::uniform_real_distribution.
inline std::vector<float> RandomTensor(size_t elements, float low, float high, uint32_t seed = 1) {
  std::mt19937 bits(seed);
  std::vector<float> values(elements);
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(bits() >> 8) * 0x1p-24f;
  }
  return values;
}

inline float ToFloat(float value) { return value; }

// Straight from the definition of binary16, and so no part of what the kernels use.
inline float ToFloat(Float16 half) {
  const int exponent = half.bits >> 10 & 31;
  const int fraction = half.bits & 1023;
  float magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  if (exponent == 0) magnitude = std::ldexp(static_cast<float>(fraction), -24);
  if (exponent == 31) magnitude = fraction == 0 ? kInfinity : kNaN;
  return (half.bits & 0x8000) != 0 ? -magnitude : magnitude;
}

// The nearest T, of two the even one.
template <typename T>
T RoundTo(double value);

template <>
inline float RoundTo<float>(double value) {
  return static_cast<float>(value);
}

template <>
inline Float16 RoundTo<Float16>(double value) {
  const int sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::abs(value);
  int bits = 0x7c00;  // infinity, also from half way between the largest value and the next
  if (std::isnan(value)) bits = 0x7e00;
  if (magnitude < 65520.0) {
    const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
    const int steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
    bits = (exponent + 14) * 1024 + steps;  // a carry out of the fraction raises the exponent
  }
  return {static_cast<uint16_t>(sign | bits)};
}

template <typename T>
std::vector<T> RoundTo(const std::vector<float>& values) {
  std::vector<T> rounded;
  for (const float value : values) rounded.push_back(RoundTo<T>(value));
  return rounded;
}

template <typename T>
std::vector<float> ToFloats(const std::vector<T>& values) {
  std::vector<float> floats;
  for (const T value : values) floats.push_back(ToFloat(value));
  return floats;
}

// How far the nearest T may lie from a value, beyond the error that kernels state for float32.
template <typename T>
double RoundingError(double value);

template <>
inline double RoundingError<float>(double) {
  return 0.0;
}

// Half a unit in the last of eleven binary digits.
template <>
inline double RoundingError<Float16>(double value) {
  if (!std::isfinite(value)) return 0.0;
  return std::ldexp(0.5, std::abs(value) < 0x1p-14 ? -24 : std::ilogb(value) - 10);
}

// An output that notices writes beyond its ends and elements that were never written.
template <typename T = float>
class GuardedOutput {
 public:
  explicit GuardedOutput(size_t elements)
      : elements_(elements), buffer_(elements + 2 * kGuard, Canary()) {}

  T* data() { return buffer_.data() + kGuard; }
  float operator[](size_t i) const { return ToFloat(buffer_[kGuard + i]); }
  std::vector<T> values() const {
    std::vector<T> values(elements_);
    std::copy_n(buffer_.begin() + kGuard, elements_, values.begin());
    return values;
  }

  bool GuardsIntact() const {
    return AreCanaries(0, kGuard) && AreCanaries(kGuard + elements_, buffer_.size());
  }
  bool Untouched() const { return AreCanaries(0, buffer_.size()); }
  // Whether the first `elements` were left alone.
  bool Untouched(size_t elements) const { return AreCanaries(kGuard, kGuard + elements); }

 private:
  static constexpr size_t kGuard = 64;
  static T Canary() { return RoundTo<T>(-12345.678f); }

  bool AreCanaries(size_t begin, size_t end) const {
    const T canary = Canary();
    for (size_t i = begin; i < end; ++i) {
      if (std::memcmp(&buffer_[i], &canary, sizeof(T)) != 0) return false;
    }
    return true;
  }

  size_t elements_;
  std::vector<T> buffer_;
};

template <typename T>
bool BitIdentical(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
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

// A copy of some values that begins `offset` elements past where it would be aligned.
template <typename T>
class ShiftedInput {
 public:
  ShiftedInput(const std::vector<T>& values, size_t offset) : offset_(offset), buffer_(offset) {
    buffer_.insert(buffer_.end(), values.begin(), values.end());
  }
  const T* data() const { return buffer_.data() + offset_; }

 private:
  size_t offset_;
  std::vector<T> buffer_;
};

// Puts values that are not finite here and there into a plane: corners, neighbours of both signs,
// an edge.
inline void Spoil(float* plane, size_t height, size_t width) {
  plane[0] = kInfinity;
  plane[height / 2 * width + width / 2] = -kInfinity;
  plane[height / 2 * width + width / 2 + 1] = kInfinity;
  plane[(height - 1) * width + width / 3] = kNaN;
  plane[height / 4 * width + width - 1] = -kInfinity;
}

// NaN for NaN, an infinity for the same infinity, else within the tolerance.
inline bool Agrees(double actual, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return actual == expected;
  return std::abs(actual - expected) <= tolerance;
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_TEST_SUPPORT_H_
