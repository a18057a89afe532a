// The vector body of LocalAveragePool, compiled once per target.

#if defined(TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#undef TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#else
#define TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#endif

#include "kernels/bands.h"
#include "kernels/sliding_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {

// Pools the vertical positions of `band`. Scratch: `columns` a row of float64, `row` one of y.
void PoolBand(const float* x, const Window& window, const Band& band, bool streams, double* columns,
              float* row, float* y) {
  const WindowAxis& vertical = window.vertical;
  const WindowAxis& horizontal = window.horizontal;
  const size_t width = horizontal.length;
  const double weight = 1.0 / static_cast<double>(window.area());
  const auto store = [&](auto d, size_t position, auto sums, auto) HWY_ATTR {
    const FloatsOf<decltype(d)> df;
    const auto means = hn::DemoteTo(df, hn::Mul(sums, hn::Set(d, weight)));
    hn::StoreU(means, df, row + horizontal.leading + position);
  };
  // No squares to keep small, hence no pivot.
  ColumnSums<false> sums(width, 0.0, columns, nullptr);
  sums.Fill(x + band.begin * width, vertical.window);
  for (size_t position = band.begin; position < band.end; ++position) {
    if (position == band.begin) {
      sums.SlideRight<false>(horizontal, nullptr, nullptr, store);
    } else {
      const float* leaving = x + (position - 1) * width;
      sums.SlideRight<true>(horizontal, leaving + vertical.window * width, leaving, store);
    }
    FillBeyond(horizontal, row);
    const size_t end = vertical.OutputEnd(position);
    for (size_t output = vertical.OutputBegin(position); output < end; ++output) {
      WriteRow(row, y + output * horizontal.outputs, horizontal.outputs, streams);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
