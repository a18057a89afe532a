// The vector body of LocalInstanceNormalization, compiled once per target.

#if defined(TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
#undef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
#else
#define TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
#endif

#include <type_traits>

#include "kernels/bands.h"
#include "kernels/scratch.h"
#include "kernels/sliding_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {

// y = (x - pivot - mean) · factor + bias, for one row.
HWY_INLINE void NormalizeRow(const float* x, size_t width, const PlaneNorm& norm,
                             const NormScratch& scratch, float* y) {
  ForEachVector(width, [&](auto d, size_t column) HWY_ATTR {
    const FloatsOf<decltype(d)> df;
    const auto mean = hn::LoadU(d, scratch.mean + column);
    // Centred in float64: on a bright plane the difference is all that matters.
    const auto centred = hn::DemoteTo(df, hn::Sub(LoadShifted(d, x + column, norm.pivot), mean));
    const auto factor = hn::LoadU(df, scratch.factor + column);
    hn::StoreU(hn::MulAdd(centred, factor, hn::Set(df, norm.bias)), df, y + column);
  });
}

// A window that holds a value which is not finite has no variance: its factor is NaN.
template <class Columns>
void MarkNonFiniteFactors(size_t position, const Band& band, const Window& window, const float* x,
                          Columns& counts, float* factor) {
  SlideAt(position, band, window, x, counts,
          [&](auto d, size_t column, auto infinities, auto nans) HWY_ATTR {
            const FloatsOf<decltype(d)> df;
            float* to = factor + window.horizontal.leading + column;
            const auto count = hn::DemoteTo(df, hn::Add(infinities, nans));
            const auto marked =
                hn::IfThenElse(hn::Gt(count, hn::Zero(df)), hn::NaN(df), hn::LoadU(df, to));
            hn::StoreU(marked, df, to);
          });
}

// Normalizes the outputs of the vertical positions of `band`. Without kContained it may come upon
// values that are not finite and smear them; it returns false then.
template <bool kContained>
bool NormalizePositions(const float* x, const Window& window, const Band& band,
                        const PlaneNorm& norm, bool streams, const NormScratch& scratch, float* y) {
  using Loader = std::conditional_t<kContained, FiniteValues, Values>;
  const WindowAxis& vertical = window.vertical;
  const WindowAxis& horizontal = window.horizontal;
  const size_t width = horizontal.length;
  const float* rows = x + band.begin * width;
  const double weight = 1.0 / static_cast<double>(window.area());
  const auto store = [=](auto d, size_t position, auto sums, auto squares) HWY_ATTR {
    const FloatsOf<decltype(d)> df;
    const auto scale = hn::Set(d, weight);
    const auto mean = hn::Mul(sums, scale);
    const auto variance = hn::NegMulAdd(mean, mean, hn::Mul(squares, scale));
    // Rounding may leave a flat window slightly below 0. Written so that NaN stays NaN.
    const auto clamped = hn::IfThenZeroElse(hn::Lt(variance, hn::Zero(d)), variance);
    const auto spread = hn::DemoteTo(df, hn::Add(clamped, hn::Set(d, norm.epsilon)));
    const size_t column = horizontal.leading + position;
    hn::StoreU(mean, d, scratch.mean + column);
    hn::StoreU(hn::Div(hn::Set(df, norm.scale), hn::Sqrt(spread)), df, scratch.factor + column);
  };
  ColumnSums<true, Loader> sums(width, {norm.pivot}, scratch.columns, scratch.squares);
  ColumnSums<true, NonFiniteCounts> counts(width, {}, scratch.infinities, scratch.nans);
  sums.Fill(rows, vertical.window);
  if constexpr (kContained) counts.Fill(rows, vertical.window);
  for (size_t position = band.begin; position < band.end; ++position) {
    SlideAt(position, band, window, x, sums, store);
    if constexpr (kContained) {
      MarkNonFiniteFactors(position, band, window, x, counts, scratch.factor);
    }
    FillBeyond(horizontal, scratch.mean);
    FillBeyond(horizontal, scratch.factor);
    const size_t end = vertical.OutputEnd(position);
    for (size_t output = vertical.OutputBegin(position); output < end; ++output) {
      NormalizeRow(x + output * width, width, norm, scratch, scratch.row);
      WriteRow(scratch.row, y + output * width, width, streams);
    }
  }
  return sums.AllFinite();
}

void NormalizeBand(const float* x, const Window& window, const Band& band, const PlaneNorm& norm,
                   bool streams, const NormScratch& scratch, float* y) {
  if (!NormalizePositions<false>(x, window, band, norm, streams, scratch, y))
    NormalizePositions<true>(x, window, band, norm, streams, scratch, y);
  // What went past the caches is not ordered with what tells other threads that it is done.
  if (streams) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
