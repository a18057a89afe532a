#ifndef TLSC_KERNELS_TEST_TENSORS_H_
#define TLSC_KERNELS_TEST_TENSORS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "base/float16.h"
#include "base/parallel.h"

// What tests and fuzz targets run kernels on: loops, element types by their definition, tensors
// that notice what must not happen to them.
namespace tlsc {

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
  rounded.reserve(values.size());
  for (const float value : values) rounded.push_back(RoundTo<T>(value));
  return rounded;
}

template <typename T>
std::vector<float> ToFloats(const std::vector<T>& values) {
  std::vector<float> floats;
  floats.reserve(values.size());
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

// NaN for NaN, an infinity for the same infinity, else within the tolerance.
inline bool Agrees(double actual, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return actual == expected;
  return std::abs(actual - expected) <= tolerance;
}

// NaN for NaN; else between the elements nearest to the two ends of the tolerance, so that the
// range and the steps of T count, too: where T has no room for what is expected, an infinity is
// right. (All results are rounded to float32 first.)
template <typename T>
bool RoundsTo(double actual, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return actual == expected;
  const double error = tolerance + std::abs(expected) * 0x1p-24;
  return actual >= double{ToFloat(RoundTo<T>(expected - error))} &&
         actual <= double{ToFloat(RoundTo<T>(expected + error))};
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
    const std::vector<T> canaries(end - begin, Canary());
    return end == begin ||
           std::memcmp(&buffer_[begin], canaries.data(), canaries.size() * sizeof(T)) == 0;
  }

  size_t elements_;
  std::vector<T> buffer_;
};

template <typename T>
bool BitIdentical(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
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

}  // namespace tlsc

#endif  // TLSC_KERNELS_TEST_TENSORS_H_
