// The vector body of ReplicateScale, compiled once per target.

#if defined(TLSC_KERNELS_REPLICATE_SCALE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_REPLICATE_SCALE_INL_H_
#undef TLSC_KERNELS_REPLICATE_SCALE_INL_H_
#else
#define TLSC_KERNELS_REPLICATE_SCALE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/bands.h"
#include "kernels/window.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

// A line of the cache. Only whole ones go past it: one that is written half past it, half through
// it travels to memory and back.
constexpr size_t kLineBytes = 64;
constexpr size_t kLineFloats = kLineBytes / sizeof(float);

// The factors of the outputs from `output` on, whichever of them lie beyond the first or the last
// position. Slower than loading or broadcasting them, hence only for vectors that hold both kinds.
HWY_INLINE hn::Vec<Floats> FactorsAt(Floats d, const WindowAxis& axis, const float* s,
                                     size_t output) {
  const hn::RebindToSigned<Floats> di;
  const size_t lanes = hn::Lanes(d);
  const size_t last = axis.positions - 1;
  const size_t front = output < axis.leading ? axis.leading - output : 0;
  const size_t position = front > 0 ? 0 : std::min(output - axis.leading, last);
  const auto lanes_in_front = hn::Set(di, static_cast<int32_t>(std::min(front, lanes)));
  const auto lanes_to_last = hn::Set(di, static_cast<int32_t>(std::min(last - position, lanes)));
  const auto steps = hn::Max(hn::Sub(hn::Iota(di, 0), lanes_in_front), hn::Zero(di));
  return hn::GatherIndex(d, s + position, hn::Min(steps, lanes_to_last));
}

template <bool kStreams>
HWY_INLINE void ScaleRow(const WindowAxis& axis, const float* x, const float* s, float* y) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  const size_t width = axis.outputs;
  size_t at = 0;
  const auto scale_singly = [&](size_t end) HWY_ATTR {
    while (at < end) {
      const size_t count = std::min(lanes, end - at);
      const auto factors = FactorsAt(d, axis, s, at);
      hn::StoreN(hn::Mul(hn::LoadN(d, x + at, count), factors), d, y + at, count);
      at += count;
    }
  };
  const auto scale_vector = [&](auto factors) HWY_ATTR {
    const auto product = hn::Mul(hn::LoadU(d, x + at), factors);
    if constexpr (kStreams) {
      hn::Stream(product, d, y + at);
    } else {
      hn::StoreU(product, d, y + at);
    }
    at += lanes;
  };

  if constexpr (kStreams) {
    const size_t beyond_line = reinterpret_cast<uintptr_t>(y) / sizeof(float) % kLineFloats;
    scale_singly(beyond_line == 0 ? 0 : std::min(width, kLineFloats - beyond_line));
  }
  const size_t unit = kStreams ? kLineFloats : lanes;
  const size_t end = at + (width - at) / unit * unit;  // of what fills vectors, or lines
  const auto first = hn::Set(d, s[0]);
  const auto last = hn::Set(d, s[axis.positions - 1]);
  // A single position is the first to all outputs before it and the last to all after it.
  const size_t begin_middle = axis.positions == 1 ? end : std::min(axis.leading, end);
  const size_t end_middle = std::max(begin_middle, std::min(axis.leading + axis.positions, end));
  while (at + lanes <= begin_middle) scale_vector(first);
  if (at < begin_middle) scale_vector(FactorsAt(d, axis, s, at));
  while (at + lanes <= end_middle) scale_vector(hn::LoadU(d, s + (at - axis.leading)));
  if (at < end_middle) scale_vector(FactorsAt(d, axis, s, at));
  while (at < end) scale_vector(last);
  scale_singly(width);
}

template <bool kStreams>
HWY_INLINE void ScaleBand(const float* x, const float* s, const Window& window, const Band& band,
                          float* y) {
  const WindowAxis& vertical = window.vertical;
  const WindowAxis& horizontal = window.horizontal;
  const size_t width = horizontal.outputs;
  for (size_t row = band.begin; row < band.end; ++row) {
    const size_t below = row < vertical.leading ? 0 : row - vertical.leading;
    const size_t position = std::min(below, vertical.positions - 1);
    ScaleRow<kStreams>(horizontal, x + row * width, s + position * horizontal.positions,
                       y + row * width);
  }
}

// Scales the rows of `band` in one plane. `streams`: past the caches; flush when the task is done.
void ScaleRows(const float* x, const float* s, const Window& window, const Band& band, bool streams,
               float* y) {
  if (streams) {
    ScaleBand<true>(x, s, window, band, y);
  } else {
    ScaleBand<false>(x, s, window, band, y);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_REPLICATE_SCALE_INL_H_
