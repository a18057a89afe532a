// The vector body of LocalInstanceNormalization and LocalGroupNormalization.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_NORMALIZE_GROUPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_NORMALIZE_GROUPS_INL_H_
#undef TLSC_KERNELS_NORMALIZE_GROUPS_INL_H_
#else
#define TLSC_KERNELS_NORMALIZE_GROUPS_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "kernels/containment-inl.h"
#include "kernels/scratch.h"
#include "kernels/sliding_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Splits a float64 into the float32 of its leading digits and one of the rest. Cutting off is
// cheaper than rounding, which would have to be converted back.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void StoreSplit(D d, V value, float* leading, float* rest) {
  constexpr uint64_t kBelowFloat = (uint64_t{1} << 29) - 1;
  const FloatsOf<D> df;
  const hn::RebindToUnsigned<D> du;
  const V cut = hn::BitCast(d, hn::AndNot(hn::Set(du, kBelowFloat), hn::BitCast(du, value)));
  hn::StoreU(hn::DemoteTo(df, cut), df, leading);
  hn::StoreU(hn::DemoteTo(df, hn::Sub(value, cut)), df, rest);
}

// Returns whether all values were finite; if not, it is to be done again with another Loader.
template <class Loader, class T>
HWY_NOINLINE bool NormalizePositions(const BandOf<T>& band, const GroupNorm<T>& norm,
                                     const NormRows<T>& rows) {
  const double weight = 1.0 / static_cast<double>(band.window.area() * band.channels);
  const size_t width = band.window.horizontal.length;
  const size_t plane_size = band.window.vertical.length * width;
  return SlideOver<true>(
      band, Loader{norm.pivot}, weight, rows.columns, {rows.mean, rows.mean_rest, rows.factor},
      [=](auto d, size_t column, auto mean, auto mean_square) HWY_ATTR {
        const FloatsOf<decltype(d)> df;
        const auto raised = hn::Add(mean_square, hn::Set(d, norm.epsilon));
        const auto variance = hn::DemoteTo(df, hn::NegMulAdd(mean, mean, raised));
        // Rounding may leave a flat window slightly below epsilon. Written so that NaN stays NaN.
        const auto least = hn::Set(df, static_cast<float>(norm.epsilon));
        const auto spread = hn::IfThenElse(hn::Lt(variance, least), least, variance);
        hn::StoreU(hn::Div(hn::Set(df, 1.0f), hn::Sqrt(spread)), df, rows.factor + column);
        StoreSplit(d, hn::Add(mean, hn::Set(d, norm.pivot)), rows.mean + column,
                   rows.mean_rest + column);
      },
      [=](size_t row, size_t begin, size_t end) HWY_ATTR {
        for (size_t channel = 0; channel < band.channels; ++channel) {
          const size_t offset = channel * plane_size + row * width;
          const T* x = band.x + offset;
          const float scale = LoadFloat(norm.scale + channel);
          const float bias = LoadFloat(norm.bias + channel);
          WriteSpan(band.y + offset, begin, end, band.streams, [=](auto df, size_t i) HWY_ATTR {
            // In this order: on a bright plane the first difference is exact, and all that matters.
            const auto rough = hn::Sub(LoadPixels(df, x + i), hn::LoadU(df, rows.mean + i));
            const auto centred = hn::Sub(rough, hn::LoadU(df, rows.mean_rest + i));
            const auto factor = hn::Mul(hn::LoadU(df, rows.factor + i), hn::Set(df, scale));
            return hn::MulAdd(centred, factor, hn::Set(df, bias));
          });
        }
      });
}

template <class T>
void NormalizeBand(const BandOf<T>& band, const GroupNorm<T>& norm, const NormRows<T>& rows) {
  if (!NormalizePositions<Values>(band, norm, rows)) {
    NormalizePositions<FiniteValues>(band, norm, rows);
    // A window with an infinity has no variance either: NaN, as the difference of two.
    SpoilOutputs(band, rows.columns, rows.mean, [](auto output, auto trace) HWY_ATTR {
      return hn::Add(output, hn::Sub(trace, trace));
    });
  }
  // What went past the caches is not ordered with what tells other threads that it is done.
  if (band.streams) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_NORMALIZE_GROUPS_INL_H_
