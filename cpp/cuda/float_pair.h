#ifndef TLSC_CUDA_FLOAT_PAIR_H_
#define TLSC_CUDA_FLOAT_PAIR_H_

#include <cmath>

#include "cuda/host_device.h"

// What sums are taken in: float64 where the card has units for it, else pairs of float32, of which
// most cards have 32 to 64 times as many. Both have
//   +, -, *                 of two sums
//   ExactDifference<Sum>    of two floats
//   MakeSum<Sum>            of a double that the host has computed
//   Rounded                 to a float
namespace tlsc::cuda {

// The unevaluated sum of two floats, of which the second is at most half a unit in the last place
// of the first: 48 binary digits. Arithmetic after Dekker (Numerische Mathematik 18, 1971) and
// Knuth (TAOCP 2, 4.2.2).
struct FloatPair {
  float high = 0.0f;
  float low = 0.0f;
};

// a + b without an error, |a| >= |b| or a = 0.
TLSC_HOST_DEVICE inline FloatPair Renormalized(float a, float b) {
  const float sum = a + b;
  return {sum, b - (sum - a)};
}

// a + b without an error.
TLSC_HOST_DEVICE inline FloatPair ExactSum(float a, float b) {
  const float sum = a + b;
  const float part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}

// a * b without an error.
TLSC_HOST_DEVICE inline FloatPair ExactProduct(float a, float b) {
#ifdef __CUDA_ARCH__
  const float product = __fmul_rn(a, b);  // which is never made part of another operation
#else
  const float product = a * b;
#endif
  return {product, std::fma(a, b, -product)};
}

TLSC_HOST_DEVICE inline FloatPair operator-(FloatPair a) { return {-a.high, -a.low}; }

TLSC_HOST_DEVICE inline FloatPair operator+(FloatPair a, FloatPair b) {
  const FloatPair high = ExactSum(a.high, b.high);
  const FloatPair low = ExactSum(a.low, b.low);
  const FloatPair sum = Renormalized(high.high, high.low + low.high);
  return Renormalized(sum.high, sum.low + low.low);
}

TLSC_HOST_DEVICE inline FloatPair operator-(FloatPair a, FloatPair b) { return a + -b; }

TLSC_HOST_DEVICE inline FloatPair operator*(FloatPair a, FloatPair b) {
  const FloatPair product = ExactProduct(a.high, b.high);
  const float rest = std::fma(a.high, b.low, a.low * b.high);
  return Renormalized(product.high, product.low + rest);
}

template <typename Sum>
TLSC_HOST_DEVICE Sum ExactDifference(float a, float b);

template <>
TLSC_HOST_DEVICE inline double ExactDifference<double>(float a, float b) {
  return static_cast<double>(a) - static_cast<double>(b);
}

template <>
TLSC_HOST_DEVICE inline FloatPair ExactDifference<FloatPair>(float a, float b) {
  return ExactSum(a, -b);
}

template <typename Sum>
Sum MakeSum(double value);

template <>
inline double MakeSum<double>(double value) {
  return value;
}

template <>
inline FloatPair MakeSum<FloatPair>(double value) {
  const float high = static_cast<float>(value);
  return {high, static_cast<float>(value - static_cast<double>(high))};
}

TLSC_HOST_DEVICE inline float Rounded(double sum) { return static_cast<float>(sum); }
TLSC_HOST_DEVICE inline float Rounded(FloatPair sum) { return sum.high + sum.low; }

TLSC_HOST_DEVICE inline bool IsFinite(double sum) { return sum - sum == 0.0; }
TLSC_HOST_DEVICE inline bool IsFinite(FloatPair sum) {
  const float rounded = Rounded(sum);
  return rounded - rounded == 0.0f;
}

// Calls run with a sum of the type that suits a card: float64 where it has units for that.
template <typename Run>
auto WithSums(bool float64, const Run& run) {
  return float64 ? run(double()) : run(FloatPair());
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_FLOAT_PAIR_H_
