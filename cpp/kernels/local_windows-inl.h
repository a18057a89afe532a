// The vector body of LocalWindowMerge.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_LOCAL_WINDOWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LOCAL_WINDOWS_INL_H_
#undef TLSC_KERNELS_LOCAL_WINDOWS_INL_H_
#else
#define TLSC_KERNELS_LOCAL_WINDOWS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "kernels/pixels-inl.h"
#include "kernels/window_tiles.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The means of sources[0 … count - 1] at `at`, whose sums may be beyond float32. Slower than
// summing vectors, hence only for those that hold such a sum.
template <class D, class T>
HWY_NOINLINE hn::Vec<D> MeansInFloat64(D d, const T* const* sources, size_t count, size_t at) {
  HWY_ALIGN float means[hn::MaxLanes(D())];
  for (size_t lane = 0; lane < hn::Lanes(d); ++lane) {
    double sum = 0.0;
    for (size_t k = 0; k < count; ++k) sum += double{LoadFloat(sources[k] + at + lane)};
    means[lane] = static_cast<float>(sum / static_cast<double>(count));
  }
  return hn::Load(d, means);
}

template <class T>
void MergeRow(const MergedRow<T>& from, T* y) {
  const WindowTiles& horizontal = from.horizontal;
  const size_t top = from.vertical.FirstOver(from.row);
  const size_t bottom = from.vertical.EndOver(from.row);
  for (size_t begin = 0; begin < horizontal.length;) {
    const size_t left = horizontal.FirstOver(begin);
    const size_t right = horizontal.EndOver(begin);
    const size_t end = horizontal.SameUntil(begin);

    const T* sources[kMostTilesPerPixel * kMostTilesPerPixel];
    size_t count = 0;
    for (size_t r = top; r < bottom; ++r) {
      for (size_t q = left; q < right; ++q) {
        const T* window = from.windows + (r * horizontal.count + q) * from.distance;
        const size_t row = from.row - from.vertical.Begin(r);
        sources[count++] = window + row * horizontal.window + (begin - horizontal.Begin(q));
      }
    }
    if (count == 1) {
      std::copy_n(sources[0], end - begin, y + begin);
    } else {
      WriteSpan(y + begin, 0, end - begin, false, [&](auto d, size_t i) HWY_ATTR {
        auto sum = LoadPixels(d, sources[0] + i);
        for (size_t k = 1; k < count; ++k) sum = hn::Add(sum, LoadPixels(d, sources[k] + i));
        const auto fits = hn::Le(hn::Abs(sum), hn::Set(d, hwy::HighestValue<float>()));
        if (HWY_UNLIKELY(!hn::AllTrue(d, fits))) return MeansInFloat64(d, sources, count, i);
        return hn::Div(sum, hn::Set(d, static_cast<float>(count)));
      });
    }
    begin = end;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LOCAL_WINDOWS_INL_H_
