// The vector body of LocalAveragePool.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#undef TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#else
#define TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>

#include "kernels/containment-inl.h"
#include "kernels/scratch.h"
#include "kernels/sliding_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Returns whether all values were finite; if not, it is to be done again with another Loader.
template <class Loader, class T>
HWY_NOINLINE bool PoolPositions(const BandOf<T>& band, const PoolRows<T>& rows) {
  float* mean = rows.mean;
  const double weight = 1.0 / static_cast<double>(band.window.area());
  const size_t outputs = band.window.horizontal.outputs;
  // No squares to keep small, hence no pivot.
  return SlideOver<false>(
      band, Loader{0.0}, weight, rows.columns, {mean},
      [=](auto d, size_t column, auto means, auto) HWY_ATTR {
        const FloatsOf<decltype(d)> df;
        hn::StoreU(hn::DemoteTo(df, means), df, mean + column);
      },
      [=](size_t row, size_t begin, size_t end) HWY_ATTR {
        WriteSpan(band.y + row * outputs, begin, end, band.streams,
                  [=](auto df, size_t i) HWY_ATTR { return hn::LoadU(df, mean + i); });
      });
}

template <class T>
void PoolBand(const BandOf<T>& band, const PoolRows<T>& rows) {
  if (!PoolPositions<Values>(band, rows)) {
    PoolPositions<FiniteValues>(band, rows);
    SpoilOutputs(band, rows.columns, rows.mean,
                 [](auto output, auto trace) HWY_ATTR { return hn::Add(output, trace); });
  }
  // What went past the caches is not ordered with what tells other threads that it is done.
  if (band.streams) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LOCAL_AVERAGE_POOL_INL_H_
