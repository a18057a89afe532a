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
#include "kernels/product_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `count` outputs from `first` on of a tile of pixels; with a gate those that they go with, too.
// Not inlined: in large functions compilers may leave the sums in memory, which takes three times
// as long.
template <size_t kRows, class T>
HWY_NOINLINE void ConvolveTile(const ChannelBlock<T>& of, const PointwiseLayer<T>& layer,
                               size_t first, size_t count, const float* values, float* results) {
  constexpr size_t kHalf = kRows / 2;
  const size_t written = layer.Written();
  const float* weights[kRows];
  ProductTile<kRows> tile;
  for (size_t r = 0; r < kRows; ++r) {
    // Beyond the last it is done once more, and not written.
    const size_t wanted = layer.gates ? first + r % kHalf : first + r;
    size_t output = std::min(wanted, written - 1);
    if (layer.gates && r >= kHalf) output += written;
    weights[r] = layer.weights + output * layer.weights_stride;
    tile.SetRow(r, layer.bias[output]);
  }
  tile.Add(weights, values, of.stride(), of.channels);
  if (layer.gates) tile.Gate();
  for (size_t r = 0; r < count; ++r) tile.StoreRow(r, results + (first + r) * of.stride());
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
  FindMoments(of, norm.epsilon, rows);
  NormalizeChannels(of, norm, rows, [&](size_t channel, const auto& value) HWY_ATTR {
    float* to = rows.values + channel * of.stride();
    for (size_t i = 0; i < of.padded(); i += hn::Lanes(d)) hn::Store(value(d, i), d, to + i);
  });
}

// Convolves the pixels of a block. What comes out is put together before it is written: outputs lie
// planes apart, and memory is slow where few bytes are written at a place.
template <class T>
void ConvolveBlock(const ChannelBlock<T>& of, const PointwiseLayer<T>& layer,
                   const PointwiseRows& rows) {
  if (layer.norm == nullptr) {
    CopyChannels(of, rows.block.values);
  } else {
    TakeChannels(of, rows.block);
    NormalizeCopy(of, *layer.norm, rows.block);
  }
  for (size_t i = 0; i < of.pixels; i += TileColumns()) {
    ForEachTile(layer.Written(), layer.gates ? 2 : 1,
                [&](auto tile_rows, size_t first, size_t count) HWY_ATTR {
                  ConvolveTile<decltype(tile_rows)::value>(of, layer, first, count,
                                                           rows.block.values + i, rows.results + i);
                });
  }
  for (size_t output = 0; output < layer.Written(); ++output) {
    WriteOutput(of, layer, output, rows.results + output * of.stride());
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_POINTWISE_CONV_INL_H_
