// The vector body of LocalInstanceNormalization, compiled once per target.

#if defined(TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
#undef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
#else
#define TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
#endif

#include "kernels/bands.h"
#include "kernels/local_instance_normalization_plane.h"
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

// Normalizes the outputs of the vertical positions of `band`.
void NormalizeBand(const float* x, const Window& window, const Band& band, const PlaneNorm& norm,
                   bool streams, const NormScratch& scratch, float* y) {
  const WindowAxis& vertical = window.vertical;
  const WindowAxis& horizontal = window.horizontal;
  const size_t width = horizontal.length;
  const double weight = 1.0 / static_cast<double>(window.area());
  const auto store = [&](auto d, size_t position, auto sums, auto squares) HWY_ATTR {
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
  ColumnSums<true> sums(width, norm.pivot, scratch.columns, scratch.squares);
  sums.Fill(x + band.begin * width, vertical.window);
  for (size_t position = band.begin; position < band.end; ++position) {
    if (position == band.begin) {
      sums.SlideRight<false>(horizontal, nullptr, nullptr, store);
    } else {
      const float* leaving = x + (position - 1) * width;
      sums.SlideRight<true>(horizontal, leaving + vertical.window * width, leaving, store);
    }
    FillBeyond(horizontal, scratch.mean);
    FillBeyond(horizontal, scratch.factor);
    const size_t end = vertical.OutputEnd(position);
    for (size_t output = vertical.OutputBegin(position); output < end; ++output) {
      NormalizeRow(x + output * width, width, norm, scratch, scratch.row);
      WriteRow(scratch.row, y + output * width, width, streams);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_INL_H_
