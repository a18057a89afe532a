// The vector body of ChannelNormalization.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_CHANNEL_NORMALIZATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_CHANNEL_NORMALIZATION_INL_H_
#undef TLSC_KERNELS_CHANNEL_NORMALIZATION_INL_H_
#else
#define TLSC_KERNELS_CHANNEL_NORMALIZATION_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "kernels/channel_block.h"
#include "kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Copies the pixels of one channel into the block, and zeros behind them; calls take(i, vector) for
// each vector of them. Those of the next are fetched on the way: they lie too far away for the
// processor to guess.
template <class T, class Take>
HWY_INLINE void CopyChannel(const T* x, const T* next, const ChannelBlock<T>& of, float* to,
                            const Take& take) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= of.pixels; i += lanes) {
    hwy::Prefetch(next + i);
    const auto values = LoadPixels(d, x + i);
    hn::Store(values, d, to + i);
    take(i, values);
  }
  if (i == of.padded()) return;
  std::fill(to + i, to + of.padded(), 0.0f);
  for (size_t at = i; at < of.pixels; ++at) to[at] = LoadFloat(x + at);
  if (i < of.pixels) take(i, hn::Load(d, to + i));
}

// Copies all channels of a block. As above, channel by channel.
template <class T, class Take>
HWY_INLINE void CopyChannels(const ChannelBlock<T>& of, float* values, const Take& take) {
  for (size_t channel = 0; channel < of.channels; ++channel) {
    const T* x = of.x + channel * of.plane;
    const T* next = channel + 1 < of.channels ? x + of.plane : of.x;
    CopyChannel(x, next, of, values + channel * of.stride(), take);
  }
}

template <class T>
HWY_INLINE void CopyChannels(const ChannelBlock<T>& of, float* values) {
  CopyChannels(of, values, [](size_t, auto) HWY_ATTR {});
}

// What pixels are normalized with, from their channels in the block and the sums of these: the mean
// as a float32 and what rounding has cut off of it, and 1 / sqrt(variance + epsilon).
template <class T>
HWY_INLINE void FindMoments(const ChannelBlock<T>& of, float epsilon, const BlockRows& rows) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  using V = hn::Vec<Floats>;
  const V share = hn::Set(d, 1.0f / static_cast<float>(of.channels));
  // Four vectors side by side, as one would wait for its own sums.
  static_assert(kBlockGrain % (4 * hn::MaxLanes(Floats())) == 0, "whole rounds");
  for (size_t i = 0; i < of.padded(); i += 4 * lanes) {
    V mean[4], sum[4], squares[4];
    for (size_t k = 0; k < 4; ++k) {
      mean[k] = hn::Mul(hn::Load(d, rows.mean + i + k * lanes), share);
      sum[k] = squares[k] = hn::Zero(d);
    }
    for (size_t channel = 0; channel < of.channels; ++channel) {
      const float* values = rows.values + channel * of.stride() + i;
      for (size_t k = 0; k < 4; ++k) {
        const V difference = hn::Sub(hn::Load(d, values + k * lanes), mean[k]);
        sum[k] = hn::Add(sum[k], difference);
        squares[k] = hn::MulAdd(difference, difference, squares[k]);
      }
    }
    for (size_t k = 0; k < 4; ++k) {
      const V rest = hn::Mul(sum[k], share);
      const V variance = hn::NegMulAdd(rest, rest, hn::Mul(squares[k], share));
      // In this order of arguments a NaN stays one.
      const V positive = hn::IfThenElse(hn::Lt(variance, hn::Zero(d)), hn::Zero(d), variance);
      const V deviation = hn::Sqrt(hn::Add(positive, hn::Set(d, epsilon)));
      hn::Store(mean[k], d, rows.mean + i + k * lanes);
      hn::Store(rest, d, rows.rest + i + k * lanes);
      hn::Store(hn::Div(hn::Set(d, 1.0f), deviation), d, rows.factor + i + k * lanes);
    }
  }
}

// Copies all channels of a block, and adds them up.
template <class T>
HWY_INLINE void TakeChannels(const ChannelBlock<T>& of, const BlockRows& rows) {
  const Floats d;
  std::fill(rows.mean, rows.mean + of.padded(), 0.0f);
  float* const sums = rows.mean;
  CopyChannels(of, rows.values, [=](size_t i, auto values) HWY_ATTR {
    hn::Store(hn::Add(hn::Load(d, sums + i), values), d, sums + i);
  });
}

// Calls write(channel, value) for each channel of a block whose moments are found; value(d, i) are
// its pixels from i on, normalized.
template <class T, class Write>
HWY_INLINE void NormalizeChannels(const ChannelBlock<T>& of, const ChannelNorm<T>& norm,
                                  const BlockRows& rows, const Write& write) {
  for (size_t channel = 0; channel < of.channels; ++channel) {
    const float* values = rows.values + channel * of.stride();
    const float scale = LoadFloat(norm.scale + channel);
    const float bias = norm.bias == nullptr ? 0.0f : LoadFloat(norm.bias + channel);
    const auto scaled = [=](auto d, size_t i, auto centred) HWY_ATTR {
      const auto normalized = hn::Mul(centred, hn::LoadU(d, rows.factor + i));
      return hn::MulAdd(normalized, hn::Set(d, scale), hn::Set(d, bias));
    };
    if (norm.centers) {
      write(channel, [=](auto d, size_t i) HWY_ATTR {
        const auto difference = hn::Sub(hn::LoadU(d, values + i), hn::LoadU(d, rows.mean + i));
        return scaled(d, i, hn::Sub(difference, hn::LoadU(d, rows.rest + i)));
      });
    } else {
      write(channel,
            [=](auto d, size_t i) HWY_ATTR { return scaled(d, i, hn::LoadU(d, values + i)); });
    }
  }
}

// Normalizes the pixels of a block in all their channels.
template <class T>
void NormalizeBlock(const ChannelBlock<T>& of, const ChannelNorm<T>& norm, const BlockRows& rows) {
  TakeChannels(of, rows);
  FindMoments(of, norm.epsilon, rows);
  NormalizeChannels(of, norm, rows, [&](size_t channel, const auto& value) HWY_ATTR {
    WriteSpan(of.y + channel * of.plane, 0, of.pixels, of.streams, value);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_CHANNEL_NORMALIZATION_INL_H_
