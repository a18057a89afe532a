#ifndef TLSC_CUDA_PIXEL_H_
#define TLSC_CUDA_PIXEL_H_

#include <cstdint>
#ifdef __CUDACC__
#include <cuda_fp16.h>
#else
#include <cmath>
#include <cstring>
#endif

#include "base/float16.h"
#include "cuda/host_device.h"

// Elements of tensors as float32, and back, rounded to the nearest, of two to the even one.
namespace tlsc::cuda {

TLSC_HOST_DEVICE inline bool IsFinite(float value) { return value - value == 0.0f; }

TLSC_HOST_DEVICE inline float Widen(float value) { return value; }

template <typename T>
TLSC_HOST_DEVICE T Narrow(float value);

template <>
TLSC_HOST_DEVICE inline float Narrow<float>(float value) {
  return value;
}

#ifdef __CUDACC__
TLSC_HOST_DEVICE inline float Widen(Float16 value) {
  return __half2float(__half(__half_raw{value.bits}));
}

template <>
TLSC_HOST_DEVICE inline Float16 Narrow<Float16>(float value) {
  return {static_cast<__half_raw>(__float2half_rn(value)).x};
}
#else
inline float Widen(Float16 value) {
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000) << 16;
  const uint32_t magnitude = value.bits & 0x7fffu;
  // Moved to where float32 has its exponent, the value is 2^112 times too small.
  uint32_t bits = magnitude << 13;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  result *= 0x1p112f;
  if (magnitude >= 0x7c00) {  // infinities and NaNs
    bits |= 0x7f800000;
    std::memcpy(&result, &bits, sizeof(result));
  }
  return sign != 0 ? -result : result;
}

template <>
inline Float16 Narrow<Float16>(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return {static_cast<uint16_t>(sign | 0x7e00)};
  if (magnitude >= 65520.0f) return {static_cast<uint16_t>(sign | 0x7c00)};
  // Adding a power of two 13 digits above rounds to eleven; below 2^-14 to steps of 2^-24.
  const int exponent = magnitude < 0x1p-14f ? -14 : std::ilogb(magnitude);
  const auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  return {static_cast<uint16_t>(sign | ((static_cast<uint32_t>(exponent + 14) << 10) + steps))};
}
#endif

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_PIXEL_H_
