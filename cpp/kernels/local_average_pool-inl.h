// The vector body of LocalAveragePool, compiled once per target.

#if defined(TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#undef TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#else
#define TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#endif

#include <type_traits>

#include "kernels/bands.h"
#include "kernels/scratch.h"
#include "kernels/sliding_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {

// Puts into the finished row what the mean of a window is that holds values which are not finite.
template <class Columns>
void MarkNonFinite(size_t position, const Band& band, const Window& window, const float* x,
                   Columns& counts, float* row) {
  SlideAt(position, band, window, x, counts,
          [&](auto d, size_t column, auto infinities, auto nans) HWY_ATTR {
            const FloatsOf<decltype(d)> df;
            float* to = row + window.horizontal.leading + column;
            const auto zero = hn::Zero(d);
            const auto steps = hn::Set(d, NonFiniteCounts::kNegative);
            const auto negative = hn::Floor(hn::Div(infinities, steps));
            const auto positive = hn::NegMulAdd(negative, steps, infinities);
            auto mean = hn::PromoteTo(d, hn::LoadU(df, to));
            const auto infinity = hn::Inf(d);
            mean = hn::IfThenElse(hn::Gt(positive, zero), infinity, mean);
            // Of both signs: NaN, by the sum of the two.
            const auto with_negative = hn::Sub(mean, infinity);
            mean = hn::IfThenElse(hn::Gt(negative, zero), with_negative, mean);
            mean = hn::IfThenElse(hn::Gt(nans, zero), hn::NaN(d), mean);
            hn::StoreU(hn::DemoteTo(df, mean), df, to);
          });
}

// Pools the vertical positions of `band`. Without kContained it may come upon values that are not
// finite and smear them; it returns false then.
template <bool kContained>
bool PoolPositions(const float* x, const Window& window, const Band& band, bool streams,
                   const PoolScratch& scratch, float* y) {
  using Loader = std::conditional_t<kContained, FiniteValues, Values>;
  const WindowAxis& vertical = window.vertical;
  const WindowAxis& horizontal = window.horizontal;
  const size_t width = horizontal.length;
  const float* rows = x + band.begin * width;
  const double weight = 1.0 / static_cast<double>(window.area());
  float* row = scratch.row;
  const auto store = [=](auto d, size_t position, auto sums, auto) HWY_ATTR {
    const FloatsOf<decltype(d)> df;
    const auto means = hn::DemoteTo(df, hn::Mul(sums, hn::Set(d, weight)));
    hn::StoreU(means, df, row + horizontal.leading + position);
  };
  // No squares to keep small, hence no pivot.
  ColumnSums<false, Loader> sums(width, {0.0}, scratch.columns, nullptr);
  ColumnSums<true, NonFiniteCounts> counts(width, {}, scratch.infinities, scratch.nans);
  sums.Fill(rows, vertical.window);
  if constexpr (kContained) counts.Fill(rows, vertical.window);
  for (size_t position = band.begin; position < band.end; ++position) {
    SlideAt(position, band, window, x, sums, store);
    if constexpr (kContained) MarkNonFinite(position, band, window, x, counts, row);
    FillBeyond(horizontal, row);
    const size_t end = vertical.OutputEnd(position);
    for (size_t output = vertical.OutputBegin(position); output < end; ++output) {
      WriteRow(row, y + output * horizontal.outputs, horizontal.outputs, streams);
    }
  }
  return sums.AllFinite();
}

void PoolBand(const float* x, const Window& window, const Band& band, bool streams,
              const PoolScratch& scratch, float* y) {
  if (!PoolPositions<false>(x, window, band, streams, scratch, y))
    PoolPositions<true>(x, window, band, streams, scratch, y);
  // What went past the caches is not ordered with what tells other threads that it is done.
  if (streams) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
