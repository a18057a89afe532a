#ifndef TLSC_CUDA_LOADS_H_
#define TLSC_CUDA_LOADS_H_

#include <cstddef>

#include "cuda/sliding_sums.h"

// What the sliding kernels sum of a pixel.
namespace tlsc::cuda {

inline constexpr float kInfinity = __builtin_huge_valf();

// A value near those of the planes, which keeps sums of differences to it small: the first.
template <typename T>
TLSC_HOST_DEVICE float PivotOf(const Channels<T>& from) {
  const float first = Widen(from.x[0]);
  return IsFinite(first) ? first : 0.0f;
}

// The difference to the pivot and, with kNumbers = 2, its square.
template <typename Sum, size_t kNumbers>
struct Deviations {
  static constexpr size_t kSums = kNumbers;
  float pivot;

  TLSC_HOST_DEVICE void operator()(float pixel, Sum (&numbers)[kSums]) const {
    numbers[0] = ExactDifference<Sum>(pixel, pivot);
    if constexpr (kSums == 2) numbers[1] = numbers[0] * numbers[0];
  }
};

// The same in float64, 0 for what is not finite.
template <size_t kNumbers>
struct FiniteDeviations {
  static constexpr size_t kSums = kNumbers;
  float pivot;

  TLSC_HOST_DEVICE void operator()(float pixel, double (&numbers)[kSums]) const {
    Deviations<double, kNumbers>{pivot}(IsFinite(pixel) ? pixel : pivot, numbers);
  }
};

// 1 for an infinity of this sign and for a NaN.
struct Occurrences {
  static constexpr size_t kSums = 1;
  float infinity;

  TLSC_HOST_DEVICE void operator()(float pixel, double (&numbers)[1]) const {
    numbers[0] = pixel == infinity || pixel != pixel ? 1.0 : 0.0;
  }
};

// 1 for infinities and NaNs.
struct NonFinite {
  static constexpr size_t kSums = 1;

  TLSC_HOST_DEVICE void operator()(float pixel, double (&numbers)[1]) const {
    numbers[0] = IsFinite(pixel) ? 0.0 : 1.0;
  }
};

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_LOADS_H_
