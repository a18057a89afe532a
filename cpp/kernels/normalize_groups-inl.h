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

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/containment-inl.h"
#include "kernels/leaky_relu-inl.h"
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

// What float32 certainly has room for. Where the means and the factors 1 / sqrt(variance + epsilon)
// of windows lie within these bounds, the pixels in them are near enough: even what rounding leaves
// of them elsewhere does not overflow when it is multiplied by a factor and a scale.
inline constexpr float kMostMean = 0x1p30f;
inline constexpr float kLeastFactor = 0x1p-30f;
inline constexpr float kMostFactor = 0x1p40f;
inline constexpr float kMostScale = 0x1p24f;
// From this epsilon on no factor is larger than kMostFactor.
inline constexpr double kEnoughEpsilon = 0x1p-80;

// Whether the windows of outputs begin … end - 1 of a row keep within these bounds. (NaN does not.)
HWY_INLINE bool HasRoom(const float* means, const float* factors, size_t begin, size_t end) {
  bool room = true;
  for (size_t i = begin; i < end; ++i) {
    room &= std::abs(means[i]) <= kMostMean;
    room &= factors[i] >= kLeastFactor && factors[i] <= kMostFactor;
  }
  return room;
}

// Returns whether all values were finite and float32 had room for what became of them; if not, it
// is to be done again. kSparse: in fast mode not all pixels are summed, so that outputs are looked
// at.
template <bool kSparse, class T>
HWY_NOINLINE bool NormalizePositions(const BandOf<T>& band, const GroupNorm<T>& norm,
                                     const NormRows<T>& rows) {
  const double weight = 1.0 / static_cast<double>(band.window.area() * band.channels);
  const size_t width = band.window.horizontal.length;
  const size_t plane_size = band.window.vertical.length * width;
  // The windows of a few positions hold all that the band sums; the others need no look.
  const WindowAxis& vertical = band.window.vertical;
  const size_t last_position = band.positions.end - 1;
  size_t position = band.positions.begin;
  size_t* const next_look = &position;
  bool room = true;
  bool* const has_room = &room;
  const bool finite = SlideOver<true>(
      band, Values{norm.pivot}, weight, rows.columns, {rows.mean, rows.mean_rest, rows.factor},
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
      [=, &vertical](size_t row, size_t begin, size_t end) HWY_ATTR {
        const bool covers = row == vertical.OutputBegin(*next_look);
        if ((covers || norm.epsilon < kEnoughEpsilon) &&
            !HasRoom(rows.mean, rows.factor, begin, end)) {
          *has_room = false;
        }
        if (covers && end == width) {
          *next_look = std::min(*next_look + vertical.window, last_position);
        }
        for (size_t channel = 0; channel < band.channels; ++channel) {
          const size_t offset = channel * plane_size + row * width;
          const T* x = band.x + offset;
          const float scale = LoadFloat(norm.scale + channel);
          const float bias = LoadFloat(norm.bias + channel);
          if (!(std::abs(scale) <= kMostScale)) *has_room = false;
          WriteSpan(band.y + offset, begin, end, band.streams, [=](auto df, size_t i) HWY_ATTR {
            // In this order: on a bright plane the first difference is exact, and all that matters.
            const auto rough = hn::Sub(LoadPixels(df, x + i), hn::LoadU(df, rows.mean + i));
            const auto centred = hn::Sub(rough, hn::LoadU(df, rows.mean_rest + i));
            // The scale comes last: times the factor, it may be too small for float32.
            const auto normalized = hn::Mul(centred, hn::LoadU(df, rows.factor + i));
            const auto scaled = hn::MulAdd(normalized, hn::Set(df, scale), hn::Set(df, bias));
            if constexpr (kSparse) {
              const auto largest = hn::Set(df, hwy::HighestValue<float>());
              if (!hn::AllTrue(df, hn::Le(hn::Abs(scaled), largest))) *has_room = false;
            }
            return LeakyRelu(df, scaled, norm.alpha);
          });
        }
      });
  return finite && room;
}

// The same in float64 all the way. Values that are not finite count as nothing.
template <class T>
HWY_NOINLINE void NormalizeWide(const BandOf<T>& band, const GroupNorm<T>& norm,
                                const NormRows<T>& rows) {
  const double weight = 1.0 / static_cast<double>(band.window.area() * band.channels);
  const size_t width = band.window.horizontal.length;
  const size_t plane_size = band.window.vertical.length * width;
  (void)SlideOver<true>(
      band, FiniteValues{norm.pivot}, weight, rows.columns, {rows.wide_mean, rows.wide_factor},
      [=](auto d, size_t column, auto mean, auto mean_square) HWY_ATTR {
        const auto epsilon = hn::Set(d, norm.epsilon);
        const auto raised = hn::Add(mean_square, epsilon);
        const auto spread = hn::Max(hn::NegMulAdd(mean, mean, raised), epsilon);
        hn::StoreU(mean, d, rows.wide_mean + column);
        hn::StoreU(hn::Div(hn::Set(d, 1.0), hn::Sqrt(spread)), d, rows.wide_factor + column);
      },
      [=](size_t row, size_t begin, size_t end) HWY_ATTR {
        for (size_t channel = 0; channel < band.channels; ++channel) {
          const size_t offset = channel * plane_size + row * width + begin;
          const T* x = band.x + offset;
          T* y = band.y + offset;
          const double scale = LoadFloat(norm.scale + channel);
          const double bias = LoadFloat(norm.bias + channel);
          ForEachVector(end - begin, [=](auto d, size_t i) HWY_ATTR {
            const FloatsOf<decltype(d)> df;
            const auto value = hn::Sub(LoadPixels(d, x + i), hn::Set(d, norm.pivot));
            const auto centred = hn::Sub(value, hn::LoadU(d, rows.wide_mean + begin + i));
            const auto factor = hn::LoadU(d, rows.wide_factor + begin + i);
            const auto normalized = hn::Mul(centred, factor);
            const auto scaled = hn::MulAdd(normalized, hn::Set(d, scale), hn::Set(d, bias));
            const auto output = LeakyRelu(d, scaled, double{norm.alpha});
            StorePixels(df, hn::DemoteTo(df, output), y + i);
          });
        }
      });
}

template <class T>
void NormalizeBand(const BandOf<T>& band, const GroupNorm<T>& norm, const NormRows<T>& rows) {
  // Fast mode leaves the first row and column out even where it takes every other.
  const bool sparse = !band.window.vertical.TakesAll() || !band.window.horizontal.TakesAll();
  const bool done = sparse ? NormalizePositions<true>(band, norm, rows)
                           : NormalizePositions<false>(band, norm, rows);
  if (!done) {
    NormalizeWide(band, norm, rows);
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
