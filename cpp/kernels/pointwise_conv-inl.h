// The vector body of PointwiseConv.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_POINTWISE_CONV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_POINTWISE_CONV_INL_H_
#undef TLSC_KERNELS_POINTWISE_CONV_INL_H_
#else
#define TLSC_KERNELS_POINTWISE_CONV_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "kernels/channel_normalization-inl.h"
#include "kernels/pixels-inl.h"
#include "kernels/pointwise_block.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sums stay in registers while the channels of a tile are gone through: so many outputs of so many
// vectors of pixels, besides the vectors themselves and a weight.
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
inline constexpr size_t kTileOutputs = 12;  // of 32 registers
inline constexpr size_t kTileVectors = 2;
#elif HWY_ARCH_ARM
inline constexpr size_t kTileOutputs = 6;
inline constexpr size_t kTileVectors = 4;
#else
inline constexpr size_t kTileOutputs = 6;  // of 16
inline constexpr size_t kTileVectors = 2;
#endif

// Pixels of a tile.
HWY_INLINE size_t TilePixels() { return kTileVectors * hn::Lanes(Floats()); }

static_assert(kBlockGrain % (kTileVectors * hn::MaxLanes(Floats())) == 0, "whole tiles");

// One tile: `kOutputs` outputs, even, of which the gate multiplies the first half with the second.
template <size_t kOutputs>
class Tile {
 public:
  using V = hn::Vec<Floats>;

  // `outputs` are the numbers of its outputs.
  template <class T>
  HWY_INLINE Tile(const PointwiseLayer<T>& of, const size_t (&outputs)[kOutputs],
                  const float* values, size_t stride, size_t channels) {
    const Floats d;
    const size_t lanes = hn::Lanes(d);
    const float* weights[kOutputs];
    for (size_t r = 0; r < kOutputs; ++r) {
      weights[r] = of.weights + outputs[r] * channels;
      for (size_t v = 0; v < kTileVectors; ++v) sums[r][v] = hn::Set(d, of.bias[outputs[r]]);
    }
    for (size_t c = 0; c < channels; ++c) {
      V pixels[kTileVectors];
      for (size_t v = 0; v < kTileVectors; ++v) {
        pixels[v] = hn::Load(d, values + c * stride + v * lanes);
      }
      for (size_t r = 0; r < kOutputs; ++r) {
        const V weight = hn::Set(d, weights[r][c]);
        for (size_t v = 0; v < kTileVectors; ++v) {
          sums[r][v] = hn::MulAdd(pixels[v], weight, sums[r][v]);
        }
      }
    }
  }

  HWY_INLINE void Gate() {
    for (size_t r = 0; r < kOutputs / 2; ++r) {
      for (size_t v = 0; v < kTileVectors; ++v) {
        sums[r][v] = hn::Mul(sums[r][v], sums[kOutputs / 2 + r][v]);
      }
    }
  }

  V sums[kOutputs][kTileVectors];
};

// `kOutputs` outputs of a tile of pixels from `first` on; with a gate half of them, and those that
// they go with.
template <size_t kOutputs, class T>
HWY_INLINE void ConvolveTile(const ChannelBlock<T>& of, const PointwiseLayer<T>& layer,
                             size_t first, const float* values, float* results) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kHalf = kOutputs / 2;
  const size_t written = layer.gates ? layer.outputs / 2 : layer.outputs;
  size_t outputs[kOutputs];
  for (size_t r = 0; r < kOutputs; ++r) {
    // Beyond the last it is done once more, and not written.
    const size_t wanted = layer.gates ? first + r % kHalf : first + r;
    outputs[r] = std::min(wanted, written - 1);
    if (layer.gates && r >= kHalf) outputs[r] += written;
  }
  Tile<kOutputs> tile(layer, outputs, values, of.stride(), of.channels);
  if (layer.gates) tile.Gate();
  const size_t count = std::min(written - first, layer.gates ? kHalf : kOutputs);
  for (size_t r = 0; r < count; ++r) {
    float* to = results + (first + r) * of.stride();
    for (size_t v = 0; v < kTileVectors; ++v) hn::Store(tile.sums[r][v], d, to + v * lanes);
  }
}

// All outputs of a tile's pixels, spread evenly over as few tiles as will do.
template <class T>
HWY_INLINE void ConvolvePixels(const ChannelBlock<T>& of, const PointwiseLayer<T>& layer,
                               const float* values, float* results) {
  const size_t written = layer.gates ? layer.outputs / 2 : layer.outputs;
  const size_t most = layer.gates ? kTileOutputs / 2 : kTileOutputs;
  size_t tiles = (written + most - 1) / most;
  for (size_t first = 0; tiles > 0; --tiles) {
    const size_t share = (written - first + tiles - 1) / tiles;
    const size_t sums = layer.gates ? 2 * share : share;
    if (sums > kTileOutputs * 2 / 3) {
      ConvolveTile<kTileOutputs>(of, layer, first, values, results);
    } else if (sums > kTileOutputs / 3) {
      ConvolveTile<kTileOutputs * 2 / 3>(of, layer, first, values, results);
    } else {
      ConvolveTile<kTileOutputs / 3>(of, layer, first, values, results);
    }
    first += share;
  }
}

// Writes one output of a block, with what is to be added.
template <class T>
HWY_INLINE void WriteOutput(const ChannelBlock<T>& of, const PointwiseLayer<T>& layer,
                            size_t output, const float* results) {
  const size_t at = output * of.plane;
  if (layer.residual == nullptr) {
    WriteSpan(of.y + at, 0, of.pixels, of.streams,
              [=](auto d, size_t i) HWY_ATTR { return hn::LoadU(d, results + i); });
    return;
  }
  const T* residual = layer.residual + at;
  const float gamma = layer.gamma[output];
  WriteSpan(of.y + at, 0, of.pixels, of.streams, [=](auto d, size_t i) HWY_ATTR {
    return hn::MulAdd(hn::LoadU(d, results + i), hn::Set(d, gamma), LoadPixels(d, residual + i));
  });
}

// Normalizes the copy of a block where it is.
template <class T>
HWY_INLINE void NormalizeCopy(const ChannelBlock<T>& of, const ChannelNorm<T>& norm,
                              const BlockRows& rows) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  FindMoments(of, norm.epsilon, rows);
  for (size_t channel = 0; channel < of.channels; ++channel) {
    float* values = rows.values + channel * of.stride();
    const auto scale = hn::Set(d, LoadFloat(norm.scale + channel));
    const auto bias = hn::Set(d, norm.bias == nullptr ? 0.0f : LoadFloat(norm.bias + channel));
    for (size_t i = 0; i < of.padded(); i += lanes) {
      auto value = hn::Load(d, values + i);
      if (norm.centers) {
        value = hn::Sub(hn::Sub(value, hn::Load(d, rows.mean + i)), hn::Load(d, rows.rest + i));
      }
      const auto scaled = hn::Mul(value, hn::Load(d, rows.factor + i));
      hn::Store(hn::MulAdd(scaled, scale, bias), d, values + i);
    }
  }
}

// Convolves the pixels of a block. What comes out is put together before it is written: outputs lie
// planes apart, and memory is slow where few bytes are written at a place.
template <class T>
void ConvolveBlock(const ChannelBlock<T>& of, const PointwiseLayer<T>& layer,
                   const PointwiseRows& rows) {
  TakeChannels(of, rows.block);
  if (layer.norm != nullptr) NormalizeCopy(of, *layer.norm, rows.block);
  for (size_t first = 0; first < of.pixels; first += TilePixels()) {
    ConvolvePixels(of, layer, rows.block.values + first, rows.results + first);
  }
  const size_t written = layer.gates ? layer.outputs / 2 : layer.outputs;
  for (size_t output = 0; output < written; ++output) {
    WriteOutput(of, layer, output, rows.results + output * of.stride());
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_POINTWISE_CONV_INL_H_
