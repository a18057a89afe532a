// A NaN or an infinity must reach the windows that hold it and no others, but stays in a running
// sum for good. A band that comes upon one is gone over again: with such values left out, and then
// once more to count them.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_CONTAINMENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_CONTAINMENT_INL_H_
#undef TLSC_KERNELS_CONTAINMENT_INL_H_
#else
#define TLSC_KERNELS_CONTAINMENT_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "kernels/pixels-inl.h"
#include "kernels/sliding_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Move() of a loader that has no shorter way.
template <class Loader, class D, class T, class V = hn::Vec<D>>
HWY_INLINE void MoveLoaded(const Loader& loader, D d, const T* entering, const T* leaving,
                           V& values, V& squares) {
  V in, in_square, out, out_square;
  loader.Load(d, entering, in, in_square);
  loader.Load(d, leaving, out, out_square);
  values = hn::Add(values, hn::Sub(in, out));
  squares = hn::Add(squares, hn::Sub(in_square, out_square));
}

// Values (sliding_sums-inl.h), of which those that are not finite count as nothing.
struct FiniteValues {
  double pivot;

  template <class D, class T, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, const T* from, V& value, V& square) const {
    const V shifted = hn::Sub(LoadPixels(d, from), hn::Set(d, pivot));
    value = hn::IfThenElseZero(hn::IsFinite(shifted), shifted);
    square = hn::Mul(value, value);
  }

  template <class D, class T, class V = hn::Vec<D>>
  HWY_INLINE void Move(D d, const T* entering, const T* leaving, V& values, V& squares) const {
    MoveLoaded(*this, d, entering, leaving, values, squares);
  }
};

// How many values are not finite: infinities in `value`, the negative ones in steps of
// kNegative, and NaNs in `square`. Sums of whole numbers below 2^53 are exact (2^26 negative
// infinities in a window), so that what has left a window leaves no trace in it.
struct NonFiniteCounts {
  static constexpr double kNegative = 134217728.0;  // 2^27: more than a window has infinities

  template <class D, class T, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, const T* from, V& value, V& square) const {
    const V loaded = LoadPixels(d, from);
    const V infinity = hn::Inf(d);
    const V positive = hn::IfThenElseZero(hn::Eq(loaded, infinity), hn::Set(d, 1.0));
    const V negative = hn::IfThenElseZero(hn::Eq(loaded, hn::Neg(infinity)), hn::Set(d, kNegative));
    value = hn::Add(positive, negative);
    square = hn::IfThenElseZero(hn::IsNaN(loaded), hn::Set(d, 1.0));
  }

  template <class D, class T, class V = hn::Vec<D>>
  HWY_INLINE void Move(D d, const T* entering, const T* leaving, V& values, V& squares) const {
    MoveLoaded(*this, d, entering, leaving, values, squares);
  }
};

// Adds to each output of a band, through spoil(output, trace), what the values of its window that
// are not finite add up to: 0 without any, an infinity, or NaN. `traces` is a row to work in.
template <class T, class Spoil>
HWY_NOINLINE void SpoilOutputs(const BandOf<T>& band, const ColumnRows<T>& columns, float* traces,
                               Spoil spoil) {
  const size_t outputs = band.window.horizontal.outputs;
  const size_t plane_size = band.window.vertical.outputs * outputs;
  (void)SlideOver<true>(
      band, NonFiniteCounts(), 1.0, columns, {traces},
      [=](auto d, size_t column, auto infinities, auto nans) HWY_ATTR {
        const FloatsOf<decltype(d)> df;
        const auto zero = hn::Zero(d);
        const auto steps = hn::Set(d, NonFiniteCounts::kNegative);
        const auto negative = hn::Floor(hn::Div(infinities, steps));
        const auto positive = hn::NegMulAdd(negative, steps, infinities);
        const auto infinity = hn::Inf(d);
        // Of both signs: NaN, by the sum of the two.
        auto trace = hn::Add(hn::IfThenElseZero(hn::Gt(positive, zero), infinity),
                             hn::IfThenElseZero(hn::Gt(negative, zero), hn::Neg(infinity)));
        trace = hn::IfThenElse(hn::Gt(nans, zero), hn::NaN(d), trace);
        hn::StoreU(hn::DemoteTo(df, trace), df, traces + column);
      },
      [=](size_t row, size_t begin, size_t end) HWY_ATTR {
        for (size_t channel = 0; channel < band.channels; ++channel) {
          T* y = band.y + channel * plane_size + row * outputs;
          WriteSpan(y, begin, end, false, [=](auto df, size_t i) HWY_ATTR {
            return spoil(LoadPixels(df, y + i), hn::LoadU(df, traces + i));
          });
        }
      });
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_CONTAINMENT_INL_H_
