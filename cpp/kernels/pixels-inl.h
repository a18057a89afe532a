// Loading and storing pixels, whatever the element type of the tensor: arithmetic is in float32 and
// float64.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_PIXELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_PIXELS_INL_H_
#undef TLSC_KERNELS_PIXELS_INL_H_
#else
#define TLSC_KERNELS_PIXELS_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/float16.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Floats = hn::ScalableTag<float>;
// The same code with one lane serves what a row has left over.
using OneDouble = hn::CappedTag<double, 1>;
using OneFloat = hn::CappedTag<float, 1>;
template <class D>
using FloatsOf = hn::Rebind<float, D>;

HWY_INLINE const hwy::float16_t* Halves(const Float16* from) {
  return reinterpret_cast<const hwy::float16_t*>(from);
}

HWY_INLINE hwy::float16_t* Halves(Float16* to) { return reinterpret_cast<hwy::float16_t*>(to); }

// As many pixels as D has lanes, in its type.
template <class D, HWY_IF_F32_D(D)>
HWY_INLINE hn::Vec<D> LoadPixels(D d, const float* from) {
  return hn::LoadU(d, from);
}

// Whether the processor is certain to convert halves by itself. (Lower targets are better ones.)
inline constexpr bool kConvertsHalves = HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2;

template <class D, HWY_IF_F32_D(D)>
HWY_INLINE hn::Vec<D> LoadPixels(D d, const Float16* from) {
  const hn::Rebind<hwy::float16_t, D> dh;
  const auto pixels = hn::PromoteTo(d, hn::LoadU(dh, Halves(from)));
  if constexpr (kConvertsHalves) return pixels;
  // Highway's own conversion takes infinities and NaNs for numbers from 2^16 on, beyond all halves.
  const auto beyond = hn::Ge(hn::Abs(pixels), hn::Set(d, 65536.0f));
  return hn::IfThenElse(beyond, hn::Or(pixels, hn::Inf(d)), pixels);
}

template <class D, class T, HWY_IF_F64_D(D)>
HWY_INLINE hn::Vec<D> LoadPixels(D d, const T* from) {
  return hn::PromoteTo(d, LoadPixels(FloatsOf<D>(), from));
}

// One of them.
template <class T>
HWY_INLINE float LoadFloat(const T* from) {
  return hn::GetLane(LoadPixels(OneFloat(), from));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE void StorePixels(D d, V pixels, float* to) {
  hn::StoreU(pixels, d, to);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE void StorePixels(D, V pixels, Float16* to) {
  const hn::Rebind<hwy::float16_t, D> dh;
  hn::StoreU(hn::DemoteTo(dh, pixels), dh, Halves(to));
}

// The same past the caches; `to` is aligned to the size of what is stored.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void StreamPixels(D d, V pixels, float* to) {
  hn::Stream(pixels, d, to);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE void StreamPixels(D d, V pixels, Float16* to) {
  const hn::Rebind<hwy::float16_t, D> dh;
  const hn::RebindToUnsigned<decltype(dh)> du;
  // Nothing shorter goes past the caches: Highway would write 16 bytes all the same.
  constexpr size_t kShortest = 16;
  if constexpr (hn::MaxLanes(du) * sizeof(Float16) < kShortest) {
    StorePixels(d, pixels, to);
  } else {
    hn::Stream(hn::BitCast(du, hn::DemoteTo(dh, pixels)), du, reinterpret_cast<uint16_t*>(to));
  }
}

// Computes to[begin … end - 1] as value(d, index), float32, a vector at a time. `streams`: past the
// caches.
template <class T, class Value>
HWY_INLINE void WriteSpan(T* to, size_t begin, size_t end, bool streams, Value value) {
  const Floats d;
  const OneFloat one;
  const size_t lanes = hn::Lanes(d);
  size_t i = begin;
  if (streams) {
    const size_t beyond = reinterpret_cast<uintptr_t>(to + i) / sizeof(T) % lanes;
    const size_t aligned = std::min(end, beyond == 0 ? i : i + lanes - beyond);
    for (; i < aligned; ++i) StorePixels(one, value(one, i), to + i);
    for (; i + lanes <= end; i += lanes) StreamPixels(d, value(d, i), to + i);
  } else {
    for (; i + lanes <= end; i += lanes) StorePixels(d, value(d, i), to + i);
  }
  for (; i < end; ++i) StorePixels(one, value(one, i), to + i);
}

// The last index up to `index` at which a cache line begins in `row`: where a span can end without
// leaving a line half written.
template <class T>
HWY_INLINE size_t LineBefore(const T* row, size_t index) {
  constexpr size_t kLine = 64;
  const size_t beyond = reinterpret_cast<uintptr_t>(row + index) % kLine / sizeof(T);
  return index - std::min(index, beyond);
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_PIXELS_INL_H_
