// Products of matrices, a tile of the result at a time.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_PRODUCT_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_PRODUCT_TILE_INL_H_
#undef TLSC_KERNELS_PRODUCT_TILE_INL_H_
#else
#define TLSC_KERNELS_PRODUCT_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "kernels/channel_block.h"
#include "kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sums stay in registers while what is summed over is gone through: so many rows of so many
// vectors, besides the vectors themselves and a weight.
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
inline constexpr size_t kTileRows = 12;  // of 32 registers
inline constexpr size_t kTileVectors = 2;
#elif HWY_ARCH_ARM
inline constexpr size_t kTileRows = 6;
inline constexpr size_t kTileVectors = 4;
#else
inline constexpr size_t kTileRows = 6;  // of 16
inline constexpr size_t kTileVectors = 2;
#endif

HWY_INLINE size_t TileColumns() { return kTileVectors * hn::Lanes(Floats()); }

static_assert(kBlockGrain % (kTileVectors * hn::MaxLanes(Floats())) == 0, "whole tiles");

// `kRows` rows of the result, even, and TileColumns() columns.
template <size_t kRows>
struct ProductTile {
  using V = hn::Vec<Floats>;

  // Written out: GCC compiles a constructor of its own making for no target, and Arm's vectors,
  // which have constructors too, can't be inlined into that.
  HWY_INLINE ProductTile() {}

  // Adds the products of one factor's rows, where `left` points, and the other's columns: `count`
  // rows, `stride` apart.
  HWY_INLINE void Add(const float* const (&left)[kRows], const float* right, size_t stride,
                      size_t count) {
    const Floats d;
    const size_t lanes = hn::Lanes(d);
    for (size_t k = 0; k < count; ++k) {
      V columns[kTileVectors];
      for (size_t v = 0; v < kTileVectors; ++v) {
        columns[v] = hn::Load(d, right + k * stride + v * lanes);
      }
      for (size_t r = 0; r < kRows; ++r) {
        const V weight = hn::Set(d, left[r][k]);
        for (size_t v = 0; v < kTileVectors; ++v) {
          sums[r][v] = hn::MulAdd(columns[v], weight, sums[r][v]);
        }
      }
    }
  }

  // Multiplies the first half of the rows with the second.
  HWY_INLINE void Gate() {
    for (size_t r = 0; r < kRows / 2; ++r) {
      for (size_t v = 0; v < kTileVectors; ++v) {
        sums[r][v] = hn::Mul(sums[r][v], sums[kRows / 2 + r][v]);
      }
    }
  }

  HWY_INLINE void SetRow(size_t row, float value) {
    for (size_t v = 0; v < kTileVectors; ++v) sums[row][v] = hn::Set(Floats(), value);
  }

  HWY_INLINE void StoreRow(size_t row, float* to) const {
    const Floats d;
    for (size_t v = 0; v < kTileVectors; ++v) {
      hn::Store(sums[row][v], d, to + v * hn::Lanes(d));
    }
  }

  HWY_INLINE void AddRowTo(size_t row, float* to) const {
    const Floats d;
    for (size_t v = 0; v < kTileVectors; ++v) {
      float* const at = to + v * hn::Lanes(d);
      hn::Store(hn::Add(hn::Load(d, at), sums[row][v]), d, at);
    }
  }

  V sums[kRows][kTileVectors];
};

// The number of rows of a tile, as a type.
template <size_t kRows>
struct TileRows {
  static constexpr size_t value = kRows;
};

// Calls visit(tile_rows, first, count) for tiles that have all rows, spread evenly over as few as
// will do: `count` of them from `first` on, in a tile of `tile_rows` at least. `per_row`: rows of a
// tile that each of them takes, 1 or 2.
template <class Visit>
HWY_INLINE void ForEachTile(size_t rows, size_t per_row, const Visit& visit) {
  const size_t most = kTileRows / per_row;
  size_t tiles = (rows + most - 1) / most;
  for (size_t first = 0; tiles > 0; --tiles) {
    const size_t count = (rows - first + tiles - 1) / tiles;
    if (count * per_row > kTileRows * 2 / 3) {
      visit(TileRows<kTileRows>(), first, count);
    } else if (count * per_row > kTileRows / 3) {
      visit(TileRows<kTileRows * 2 / 3>(), first, count);
    } else {
      visit(TileRows<kTileRows / 3>(), first, count);
    }
    first += count;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_PRODUCT_TILE_INL_H_
