// The vector bodies of LocalTransposedAttention.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_INL_H_
#undef TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_INL_H_
#else
#define TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "kernels/attention_block.h"
#include "kernels/pixels-inl.h"
#include "kernels/product_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Copies pixels first … first + count - 1 of a part in one channel, and zeros behind them. Those of
// the next channel are fetched on the way.
template <class T>
HWY_INLINE void CopyPixels(const T* channel, const AttentionPart<T>& of, size_t first, size_t count,
                           float* to) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  for (size_t done = 0; done < count;) {
    const size_t column = (first + done) % of.width;
    const size_t span = std::min(of.width - column, count - done);
    const T* from = channel + (first + done) / of.width * of.row + column;
    size_t i = 0;
    for (; i + lanes <= span; i += lanes) {
      hwy::Prefetch(from + of.plane + i);
      hn::StoreU(LoadPixels(d, from + i), d, to + done + i);
    }
    for (; i < span; ++i) to[done + i] = LoadFloat(from + i);
    done += span;
  }
  std::fill(to + count, to + PaddedPixels(count), 0.0f);
}

HWY_INLINE double SumOfSquares(const float* values, size_t count) {
  const Floats d;
  auto sum = hn::Zero(d);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto value = hn::Load(d, values + i);
    sum = hn::MulAdd(value, value, sum);
  }
  return double{hn::ReduceSum(d, sum)};
}

// Writes channels side by side, pixel by pixel: channel r of kTurnedChannels from values + r *
// distance to keys + pixel * stride + r.
HWY_INLINE void TurnChannels(const float* values, size_t distance, size_t pixels, size_t stride,
                             float* keys) {
  static_assert(kTurnedChannels == 4, "as are interleaved");
  const Floats d;
  const hn::CappedTag<float, kTurnedChannels> few;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float turned[kTurnedChannels * hn::MaxLanes(d)];
  for (size_t i = 0; i < pixels; i += lanes) {
    hn::StoreInterleaved4(hn::Load(d, values + i), hn::Load(d, values + distance + i),
                          hn::Load(d, values + 2 * distance + i),
                          hn::Load(d, values + 3 * distance + i), d, turned);
    for (size_t pixel = 0; pixel < lanes; ++pixel) {
      for (size_t r = 0; r < kTurnedChannels; r += hn::Lanes(few)) {
        hn::StoreU(hn::LoadU(few, turned + kTurnedChannels * pixel + r), few,
                   keys + (i + pixel) * stride + r);
      }
    }
  }
}

// `count` queries from `first` on of a block of pixels, by a tile of the keys: the block is summed
// up first, and then added to those before it. Not inlined, as ConvolveTile.
template <size_t kRows>
HWY_NOINLINE void MultiplyTile(const AttentionRows& rows, size_t channels, size_t pixels,
                               size_t first, size_t count, size_t key, float* products) {
  const size_t stride = MatrixStride(channels);
  const float* queries[kRows];
  ProductTile<kRows> tile;
  for (size_t r = 0; r < kRows; ++r) {
    // Beyond the last it is done once more, and not written.
    const size_t query = std::min(first + r, channels - 1);
    queries[r] = rows.queries + query * AttentionPixels(channels);
    tile.SetRow(r, 0.0f);
  }
  tile.Add(queries, rows.keys + key, stride, pixels);
  for (size_t r = 0; r < count; ++r) tile.AddRowTo(r, products + (first + r) * stride + key);
}

// Adds up the products of a part's queries and keys, and their squares.
template <class T>
void SumPart(const AttentionPart<T>& of, const AttentionRows& rows, const AttentionSums& sums) {
  const size_t channels = of.channels;
  const size_t stride = MatrixStride(channels);
  const size_t most = AttentionPixels(channels);
  std::fill(sums.products, sums.products + channels * stride, 0.0f);
  std::fill(sums.queries, sums.queries + channels, 0.0);
  std::fill(sums.keys, sums.keys + channels, 0.0);
  // Tiles read beyond the last channel.
  std::fill(rows.keys, rows.keys + most * stride, 0.0f);
  for (size_t first = 0; first < of.pixels; first += most) {
    const size_t count = std::min(most, of.pixels - first);
    for (size_t c = 0; c < channels; ++c) {
      float* to = rows.queries + c * most;
      CopyPixels(of.queries + c * of.plane, of, first, count, to);
      sums.queries[c] += SumOfSquares(to, PaddedPixels(count));
    }
    for (size_t c = 0; c < channels; c += kTurnedChannels) {
      for (size_t r = 0; r < kTurnedChannels; ++r) {
        float* to = rows.turning + r * most;
        if (c + r < channels) {
          CopyPixels(of.keys + (c + r) * of.plane, of, first, count, to);
          sums.keys[c + r] += SumOfSquares(to, PaddedPixels(count));
        } else {
          std::fill(to, to + PaddedPixels(count), 0.0f);
        }
      }
      TurnChannels(rows.turning, most, PaddedPixels(count), stride, rows.keys + c);
    }
    for (size_t key = 0; key < channels; key += TileColumns()) {
      ForEachTile(channels, 1, [&](auto tile_rows, size_t query, size_t tile_count) HWY_ATTR {
        MultiplyTile<decltype(tile_rows)::value>(rows, channels, count, query, tile_count, key,
                                                 sums.products);
      });
    }
  }
}

// As above.
template <size_t kRows>
HWY_NOINLINE void ProjectTile(const HeadProjection& of, size_t first, size_t count, size_t column) {
  const float* weights[kRows];
  ProductTile<kRows> tile;
  for (size_t r = 0; r < kRows; ++r) {
    weights[r] = of.weights + std::min(first + r, of.outputs - 1) * of.weights_stride;
    tile.SetRow(r, 0.0f);
  }
  tile.Add(weights, of.attention + column, MatrixStride(of.channels), of.channels);
  for (size_t r = 0; r < count; ++r) {
    // The last tile of a row may reach into what comes behind, which the next head writes.
    const size_t columns = std::min(TileColumns(), of.channels - column);
    HWY_ALIGN float result[kTileVectors * hn::MaxLanes(Floats())];
    tile.StoreRow(r, result);
    std::copy(result, result + columns, of.y + (first + r) * of.y_stride + column);
  }
}

// The weights of a convolution behind a head's attention times that attention: what convolves its
// values.
inline void ProjectHead(const HeadProjection& of) {
  for (size_t column = 0; column < of.channels; column += TileColumns()) {
    ForEachTile(of.outputs, 1, [&](auto tile_rows, size_t first, size_t count) HWY_ATTR {
      ProjectTile<decltype(tile_rows)::value>(of, first, count, column);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_INL_H_
