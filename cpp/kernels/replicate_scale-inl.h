// The vector body of ReplicateScale.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_REPLICATE_SCALE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_REPLICATE_SCALE_INL_H_
#undef TLSC_KERNELS_REPLICATE_SCALE_INL_H_
#else
#define TLSC_KERNELS_REPLICATE_SCALE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "kernels/bands.h"
#include "kernels/pixels-inl.h"
#include "kernels/window.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The factors of the outputs from `output` on, whichever of them lie beyond the first or the last
// position. Slower than loading or broadcasting them, hence only for vectors that hold both kinds.
template <class D, class T>
HWY_INLINE hn::Vec<D> GatherFactors(D d, const WindowAxis& axis, const T* s, size_t output) {
  HWY_ALIGN float factors[hn::MaxLanes(D())];
  for (size_t lane = 0; lane < hn::Lanes(d); ++lane) {
    const size_t last = axis.leading + axis.positions - 1;
    const size_t position = std::clamp(output + lane, axis.leading, last) - axis.leading;
    hn::StoreU(LoadPixels(OneFloat(), s + position), OneFloat(), factors + lane);
  }
  return hn::Load(d, factors);
}

template <class T>
HWY_INLINE void ScaleRow(const WindowAxis& axis, const T* x, const T* s, bool streams, T* y) {
  const size_t behind = axis.leading + axis.positions;
  const float first = hn::GetLane(LoadPixels(OneFloat(), s));
  const float last = hn::GetLane(LoadPixels(OneFloat(), s + axis.positions - 1));
  const auto factors = [=](auto d, size_t i) HWY_ATTR {
    const size_t end = i + hn::Lanes(d);
    if (end <= axis.leading) return hn::Set(d, first);
    if (i >= behind) return hn::Set(d, last);
    if (i >= axis.leading && end <= behind) return LoadPixels(d, s + (i - axis.leading));
    return GatherFactors(d, axis, s, i);
  };
  WriteSpan(y, 0, axis.outputs, streams, [=](auto d, size_t i) HWY_ATTR {
    return hn::Mul(LoadPixels(d, x + i), factors(d, i));
  });
}

// Scales the rows of `band` in one plane. `streams`: past the caches; flush when the task is done.
template <class T>
void ScaleRows(const T* x, const T* s, const Window& window, const Band& band, bool streams, T* y) {
  const WindowAxis& vertical = window.vertical;
  const WindowAxis& horizontal = window.horizontal;
  const size_t width = horizontal.outputs;
  for (size_t row = band.begin; row < band.end; ++row) {
    const size_t below = row < vertical.leading ? 0 : row - vertical.leading;
    const size_t position = std::min(below, vertical.positions - 1);
    ScaleRow(horizontal, x + row * width, s + position * horizontal.positions, streams,
             y + row * width);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_REPLICATE_SCALE_INL_H_
