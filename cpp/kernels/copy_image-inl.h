// The vector body of CopyImage.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_COPY_IMAGE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_COPY_IMAGE_INL_H_
#undef TLSC_KERNELS_COPY_IMAGE_INL_H_
#else
#define TLSC_KERNELS_COPY_IMAGE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/copy_image.h"
#include "kernels/copy_image_span.h"
#include "kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class T>
HWY_INLINE hn::Vec<D> LoadElements(D d, const T* from) {
  if constexpr (std::is_unsigned_v<T>) {
    const hn::Rebind<int32_t, D> di;
    return hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(hn::Rebind<T, D>(), from)));
  } else {
    return LoadPixels(d, from);
  }
}

// round(clip(x) · largest), halves up, as the exact product has it.
template <class D, class V = hn::Vec<D>>
HWY_INLINE hn::Vec<hn::Rebind<int32_t, D>> Quantize(D d, V x, float largest) {
  const hn::Rebind<int32_t, D> di;
  const V number = hn::IfThenElseZero(hn::Eq(x, x), x);
  const V clipped = hn::Min(hn::Max(number, hn::Zero(d)), hn::Set(d, 1.0f));
  const V scale = hn::Set(d, largest);
  const V half = hn::Set(d, 0.5f);
  if constexpr (HWY_NATIVE_FMA) {
    // What the product is short of decides where it looks like a half.
    const V product = hn::Mul(clipped, scale);
    const V missing = hn::MulSub(clipped, scale, product);
    const V whole = hn::Floor(product);
    const V rest = hn::Sub(product, whole);
    const auto is_half = hn::And(hn::Eq(rest, half), hn::Ge(missing, hn::Zero(d)));
    const auto goes_up = hn::Or(hn::Gt(rest, half), is_half);
    return hn::ConvertTo(di, hn::Add(whole, hn::IfThenElseZero(goes_up, hn::Set(d, 1.0f))));
  } else {
    const hn::Repartition<double, D> dd;
    const auto round = [=](auto part) HWY_ATTR {
      const auto shifted = hn::MulAdd(part, hn::Set(dd, double{largest}), hn::Set(dd, 0.5));
      return hn::DemoteTo(hn::Rebind<int32_t, decltype(dd)>(), shifted);  // towards zero
    };
    return hn::Combine(di, round(hn::PromoteUpperTo(dd, clipped)),
                       round(hn::PromoteLowerTo(dd, clipped)));
  }
}

template <class D, class T>
HWY_INLINE void StoreElements(D d, hn::Vec<D> values, T* to) {
  if constexpr (std::is_unsigned_v<T>) {
    const hn::Rebind<T, D> dt;
    hn::StoreU(hn::DemoteTo(dt, Quantize(d, values, hwy::LimitsMax<T>())), dt, to);
  } else {
    StorePixels(d, values, to);
  }
}

// One of them.
template <class T>
HWY_INLINE void StoreElement(float value, T* to) {
  if constexpr (std::is_unsigned_v<T>) {
    const hn::CappedTag<float, 4> d;
    T lanes[hn::MaxLanes(d)];
    StoreElements(d, hn::Set(d, value), lanes);
    *to = lanes[0];
  } else {
    StorePixels(OneFloat(), hn::Set(OneFloat(), value), to);
  }
}

// x / divide, correctly rounded. Of whole numbers, of which there are few: by the reciprocal and
// what that leaves over (Markstein, "Computation of elementary functions on the IBM RISC
// System/6000 processor", 1990), since vectors divide at a fraction of the speed at which they
// multiply.
template <class T, class D, class V = hn::Vec<D>>
HWY_INLINE V Divide(D d, V x, float divide) {
  const V divisor = hn::Set(d, divide);
  if constexpr (!HWY_NATIVE_FMA || !std::is_unsigned_v<T>) {
    return hn::Div(x, divisor);
  } else {
    const V reciprocal = hn::Set(d, 1.0f / divide);
    const V quotient = hn::Mul(x, reciprocal);
    return hn::MulAdd(hn::NegMulAdd(quotient, divisor, x), reciprocal, quotient);
  }
}

// One channel of the output from the channels of the input, a row each.
template <class From, class To>
void MapSpan(const ChannelRows& from, const ChannelMap& map, size_t count, bool streams, To* to) {
  const auto row = [&](size_t k) { return static_cast<const From*>(from.of[k]); };
  const auto load = [&, first = row(map.first)](auto d, size_t i) HWY_ATTR {
    // The next span's, which lies behind: its way from memory goes on while others are worked on.
    hwy::Prefetch(first + i + kSpan);
    auto x = LoadElements(d, first + i);
    if (!map.mixes) return x;
    x = hn::Mul(x, hn::Set(d, map.weights[map.first]));
    for (size_t k = map.first + 1; k < map.channels; ++k)
      x = hn::Add(x, hn::Mul(LoadElements(d, row(k) + i), hn::Set(d, map.weights[k])));
    return x;
  };
  const auto value = [&](auto d, size_t i) HWY_ATTR {
    const auto x = load(d, i);
    if (map.is_plain) return x;
    const auto scaled = Divide<From>(d, hn::Mul(x, hn::Set(d, map.multiply)), map.divide);
    return hn::Add(scaled, hn::Set(d, map.add));
  };
  if constexpr (!std::is_unsigned_v<To>) {
    // Lines that are written past the caches must be written whole.
    if (streams) return WriteSpan(to, 0, count, true, value);
  }
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  if (count < lanes) {
    for (size_t i = 0; i < count; ++i) StoreElement(hn::GetLane(value(OneFloat(), i)), to + i);
    return;
  }
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) StoreElements(d, value(d, i), to + i);
  // The last vector may overlap with the one before it.
  if (i < count) StoreElements(d, value(d, count - lanes), to + count - lanes);
}

// The channels of pixels that lie side by side, each into a row of its own.
template <class T>
void TakeApart(const T* from, size_t channels, size_t count, const MutableChannelRows& rows) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  const auto row = [&](size_t k) { return static_cast<T*>(rows.of[k]); };
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const T* pixels = from + i * channels;
    hn::Vec<decltype(d)> a, b, c, e;
    if (channels == 2) {
      hn::LoadInterleaved2(d, pixels, a, b);
    } else if (channels == 3) {
      hn::LoadInterleaved3(d, pixels, a, b, c);
    } else {
      hn::LoadInterleaved4(d, pixels, a, b, c, e);
    }
    hn::StoreU(a, d, row(0) + i);
    hn::StoreU(b, d, row(1) + i);
    if (channels > 2) hn::StoreU(c, d, row(2) + i);
    if (channels > 3) hn::StoreU(e, d, row(3) + i);
  }
  for (; i < count; ++i) {
    for (size_t k = 0; k < channels; ++k) row(k)[i] = from[i * channels + k];
  }
}

template <class T>
void PutTogether(const MutableChannelRows& rows, size_t channels, size_t count, T* to) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  const auto row = [&](size_t k) { return static_cast<const T*>(rows.of[k]); };
  const auto load = [&](size_t k, size_t i) HWY_ATTR { return hn::LoadU(d, row(k) + i); };
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    T* pixels = to + i * channels;
    if (channels == 2) {
      hn::StoreInterleaved2(load(0, i), load(1, i), d, pixels);
    } else if (channels == 3) {
      hn::StoreInterleaved3(load(0, i), load(1, i), load(2, i), d, pixels);
    } else {
      hn::StoreInterleaved4(load(0, i), load(1, i), load(2, i), load(3, i), d, pixels);
    }
  }
  for (; i < count; ++i) {
    for (size_t k = 0; k < channels; ++k) to[i * channels + k] = row(k)[i];
  }
}

// Adds what is in a row to the summary.
inline void SummarizeSpan(const float* row, size_t count, SpanSummary& summary) {
  const Floats d;
  const auto lowest = hn::Set(d, kLowestPlausible);
  const auto highest = hn::Set(d, kHighestPlausible);
  auto least = hn::Set(d, summary.least);
  auto greatest = hn::Set(d, summary.greatest);
  auto sum = hn::Zero(d);
  const size_t lanes = hn::Lanes(d);
  const auto visit = [&](hn::Vec<Floats> x) HWY_ATTR {
    const auto finite = hn::IsFinite(x);
    const auto number = hn::IfThenElseZero(finite, x);
    least = hn::Min(least, hn::IfThenElse(finite, x, least));
    greatest = hn::Max(greatest, hn::IfThenElse(finite, x, greatest));
    sum = hn::Add(sum, number);
    summary.finite += hn::CountTrue(d, finite);
    summary.inside +=
        hn::CountTrue(d, hn::And(finite, hn::And(hn::Ge(x, lowest), hn::Le(x, highest))));
  };
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) visit(hn::LoadU(d, row + i));
  summary.least = hn::ReduceMin(d, least);
  summary.greatest = hn::ReduceMax(d, greatest);
  summary.sum += hn::ReduceSum(d, sum);
  for (; i < count; ++i) SummarizeValue(row[i], summary);
  summary.count += count;
}

// Halves are only moved here.
template <class T>
using Moved = std::conditional_t<std::is_same_v<T, Float16>, uint16_t, T>;

// Copies a span of pixels of one row.
template <class From, class To>
void CopySpan(const SpanCopy& copy, size_t from_first, size_t to_first, size_t count,
              SpanSummary* summary) {
  const ImageLayout& in = copy.from_layout;
  const ImageLayout& out = copy.to_layout;
  const auto* const from = static_cast<const From*>(copy.from);
  auto* const to = static_cast<To*>(copy.to);
  HWY_ALIGN From taken[kMaxImageChannels][kSpan];
  HWY_ALIGN To mapped[kMaxImageChannels][kSpan];
  ChannelRows sources = {};
  MutableChannelRows targets = {};
  const bool takes_apart = in.channels_last && in.channels > 1;
  const bool puts_together = out.channels_last && out.channels > 1;
  for (size_t k = 0; k < in.channels; ++k)
    sources.of[k] = takes_apart ? taken[k] : from + k * in.height * in.width + from_first;
  for (size_t c = 0; c < out.channels; ++c)
    targets.of[c] =
        puts_together || to == nullptr ? mapped[c] : to + c * out.height * out.width + to_first;
  if (takes_apart) {
    const MutableChannelRows rows = {{taken[0], taken[1], taken[2], taken[3]}};
    TakeApart(reinterpret_cast<const Moved<From>*>(from + from_first * in.channels), in.channels,
              count, rows);
  }
  for (size_t c = 0; c < out.channels; ++c) {
    auto* const target = static_cast<To*>(targets.of[c]);
    MapSpan<From, To>(sources, copy.channels[c], count, copy.streams && !puts_together, target);
    if constexpr (std::is_same_v<To, float>) {
      if (summary != nullptr) SummarizeSpan(target, count, *summary);
    }
  }
  if (!puts_together || to == nullptr) return;
  auto* const pixels = to + to_first * out.channels;
  if constexpr (std::is_same_v<To, float>) {
    if (copy.streams) {
      HWY_ALIGN float together[kMaxImageChannels * kSpan];
      PutTogether(targets, out.channels, count, together);
      WriteSpan(pixels, 0, count * out.channels, true,
                [&](auto d, size_t i) HWY_ATTR { return hn::LoadU(d, together + i); });
      return;
    }
  }
  PutTogether(targets, out.channels, count, reinterpret_cast<Moved<To>*>(pixels));
}

template <class From>
void CopySpanFrom(const SpanCopy& copy, size_t from_first, size_t to_first, size_t count,
                  SpanSummary* summary) {
  switch (copy.to_layout.element) {
    case Element::kUint8:
      return CopySpan<From, uint8_t>(copy, from_first, to_first, count, summary);
    case Element::kUint16:
      return CopySpan<From, uint16_t>(copy, from_first, to_first, count, summary);
    case Element::kFloat16:
      return CopySpan<From, Float16>(copy, from_first, to_first, count, summary);
    case Element::kFloat32:
      return CopySpan<From, float>(copy, from_first, to_first, count, summary);
  }
}

inline void CopyAnySpan(const SpanCopy& copy, size_t from_first, size_t to_first, size_t count,
                        SpanSummary* summary) {
  switch (copy.from_layout.element) {
    case Element::kUint8:
      return CopySpanFrom<uint8_t>(copy, from_first, to_first, count, summary);
    case Element::kUint16:
      return CopySpanFrom<uint16_t>(copy, from_first, to_first, count, summary);
    case Element::kFloat16:
      return CopySpanFrom<Float16>(copy, from_first, to_first, count, summary);
    case Element::kFloat32:
      return CopySpanFrom<float>(copy, from_first, to_first, count, summary);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_COPY_IMAGE_INL_H_
