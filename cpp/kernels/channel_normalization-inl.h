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

// Copies the pixels of one channel into the block, and zeros behind them; adds them up. Those of
// the next are fetched on the way: they lie too far away for the processor to guess.
template <class T>
HWY_INLINE void TakeChannel(const T* x, const T* next, const ChannelBlock<T>& of, float* to,
                            float* sums) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  const auto take = [=](size_t i, auto values) HWY_ATTR {
    hn::Store(values, d, to + i);
    hn::Store(hn::Add(hn::Load(d, sums + i), values), d, sums + i);
  };
  size_t i = 0;
  for (; i + lanes <= of.pixels; i += lanes) {
    hwy::Prefetch(next + i);
    take(i, LoadPixels(d, x + i));
  }
  if (i == of.padded()) return;
  std::fill(to + i, to + of.padded(), 0.0f);
  for (; i < of.pixels; ++i) {
    to[i] = LoadFloat(x + i);
    sums[i] += to[i];
  }
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
  std::fill(rows.mean, rows.mean + of.padded(), 0.0f);
  for (size_t channel = 0; channel < of.channels; ++channel) {
    const T* x = of.x + channel * of.plane;
    const T* next = channel + 1 < of.channels ? x + of.plane : of.x;
    TakeChannel(x, next, of, rows.values + channel * of.stride(), rows.mean);
  }
}

// Normalizes the pixels of a block in all their channels.
template <class T>
void NormalizeBlock(const ChannelBlock<T>& of, const ChannelNorm<T>& norm, const BlockRows& rows) {
  TakeChannels(of, rows);
  FindMoments(of, norm.epsilon, rows);
  for (size_t channel = 0; channel < of.channels; ++channel) {
    const float* values = rows.values + channel * of.stride();
    const float scale = LoadFloat(norm.scale + channel);
    const float bias = norm.bias == nullptr ? 0.0f : LoadFloat(norm.bias + channel);
    const auto write = [&](auto value) HWY_ATTR {
      WriteSpan(of.y + channel * of.plane, 0, of.pixels, of.streams,
                [=](auto d, size_t i) HWY_ATTR {
                  const auto scaled = hn::Mul(value(d, i), hn::LoadU(d, rows.factor + i));
                  return hn::MulAdd(scaled, hn::Set(d, scale), hn::Set(d, bias));
                });
    };
    if (norm.centers) {
      write([=](auto d, size_t i) HWY_ATTR {
        const auto difference = hn::Sub(hn::LoadU(d, values + i), hn::LoadU(d, rows.mean + i));
        return hn::Sub(difference, hn::LoadU(d, rows.rest + i));
      });
    } else {
      write([=](auto d, size_t i) HWY_ATTR { return hn::LoadU(d, values + i); });
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_CHANNEL_NORMALIZATION_INL_H_
