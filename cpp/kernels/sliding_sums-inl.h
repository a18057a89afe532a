// Sums over every position of a window in a plane, in float64 and at a cost per pixel that does not
// depend on the window: moving down, each column's sum gains the row that enters and loses the row
// that leaves; moving right, the window's sum does the same with whole columns. The sums along a
// row are a prefix scan over these differences, one vector at a time.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_SLIDING_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_SLIDING_SUMS_INL_H_
#undef TLSC_KERNELS_SLIDING_SUMS_INL_H_
#else
#define TLSC_KERNELS_SLIDING_SUMS_INL_H_
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

using Doubles = hn::ScalableTag<double>;
// The same code with one lane serves what a row has left over.
using OneDouble = hn::CappedTag<double, 1>;
template <class D>
using FloatsOf = hn::Rebind<float, D>;

// Lane i becomes the sum of lanes 0 … i.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Scan(D d, V v) {
  constexpr size_t kLanes = hn::MaxLanes(D());
  if constexpr (kLanes >= 2) v = hn::Add(v, hn::Slide1Up(d, v));
  if constexpr (kLanes >= 4) v = hn::Add(v, hn::SlideUpLanes(d, v, 2));
  if constexpr (kLanes >= 8) v = hn::Add(v, hn::SlideUpLanes(d, v, 4));
  return v;
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V BroadcastLast(D, V v) {
  return hn::BroadcastLane<static_cast<int>(hn::MaxLanes(D())) - 1>(v);
}

// value - pivot, in float64.
template <class D>
HWY_INLINE hn::Vec<D> LoadShifted(D d, const float* from, double pivot) {
  return hn::Sub(hn::PromoteTo(d, hn::LoadU(FloatsOf<D>(), from)), hn::Set(d, pivot));
}

// What ColumnSums adds up for a pixel: value - pivot and, if asked for, its square.
struct Values {
  double pivot;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, const float* from, V& value, V& square) const {
    value = LoadShifted(d, from, pivot);
    square = hn::Mul(value, value);
  }
};

// The same of a plane that holds values which are not finite: those count as nothing.
struct FiniteValues {
  double pivot;

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, const float* from, V& value, V& square) const {
    const V shifted = LoadShifted(d, from, pivot);
    value = hn::IfThenElseZero(hn::IsFinite(shifted), shifted);
    square = hn::Mul(value, value);
  }
};

// How many values are not finite: infinities in `value`, the negative ones in steps of
// kNegative, and NaNs in `square`. Sums of whole numbers below 2^53 are exact, so that what has
// left a window leaves no trace in it.
struct NonFiniteCounts {
  static constexpr double kNegative = 134217728.0;  // 2^27: more pixels than a window has

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, const float* from, V& value, V& square) const {
    const V loaded = hn::PromoteTo(d, hn::LoadU(FloatsOf<D>(), from));
    const V infinity = hn::Inf(d);
    const V positive = hn::IfThenElseZero(hn::Eq(loaded, infinity), hn::Set(d, 1.0));
    const V negative = hn::IfThenElseZero(hn::Eq(loaded, hn::Neg(infinity)), hn::Set(d, kNegative));
    value = hn::Add(positive, negative);
    square = hn::IfThenElseZero(hn::IsNaN(loaded), hn::Set(d, 1.0));
  }
};

// Calls step(d, index) for 0 … count - 1, a vector at a time and lane by lane at the end.
template <class Step>
HWY_INLINE void ForEachVector(size_t count, Step step) {
  const Doubles d;
  size_t index = 0;
  for (; index + hn::Lanes(d) <= count; index += hn::Lanes(d)) step(d, index);
  for (; index < count; ++index) step(OneDouble(), index);
}

// The sums per column of a window's height of what Loader makes of each pixel, its square only when
// kSquares. A pivot near the values keeps the squares small, so that a variance taken of them does
// not cancel.
template <bool kSquares, class Loader>
class ColumnSums {
 public:
  // `values` and `squares` hold a row of float64 each; squares may be null without kSquares.
  ColumnSums(size_t width, const Loader& loader, double* values, double* squares)
      : width_(width), loader_(loader), values_(values), squares_(squares) {}

  // Whether all that went into the sums was finite: an infinity stays in a running sum, and turns
  // into a NaN that stays when it leaves.
  bool AllFinite() const {
    double trace = 0.0;
    for (size_t x = 0; x < width_; ++x) trace += values_[x] * 0.0;
    return trace == 0.0;
  }

  // Sums `count` rows from `rows` on.
  void Fill(const float* rows, size_t count) {
    std::fill_n(values_, width_, 0.0);
    if (kSquares) std::fill_n(squares_, width_, 0.0);
    for (size_t row = 0; row < count; ++row) {
      ForEachVector(width_, [&](auto d, size_t x) HWY_ATTR {
        hn::Vec<decltype(d)> value, square;
        loader_.Load(d, rows + row * width_ + x, value, square);
        hn::StoreU(hn::Add(hn::LoadU(d, values_ + x), value), d, values_ + x);
        if constexpr (kSquares) {
          hn::StoreU(hn::Add(hn::LoadU(d, squares_ + x), square), d, squares_ + x);
        }
      });
    }
  }

  // Calls emit(d, position, sum, sum of squares) for the window at every position of the axis. With
  // kMove the columns move down on the way: `entering` is added to them and `leaving` taken away.
  template <bool kMove, class Emit>
  HWY_INLINE void SlideRight(const WindowAxis& axis, const float* entering, const float* leaving,
                             Emit emit) {
    const Rows rows = {entering, leaving};
    Sums sums = {0.0, 0.0};
    size_t column = 0;
    SumColumns<kMove>(Doubles(), axis.window, rows, column, sums);
    SumColumns<kMove>(OneDouble(), axis.window, rows, column, sums);
    emit(OneDouble(), 0, hn::Set(OneDouble(), sums.values), hn::Set(OneDouble(), sums.squares));
    size_t position = 1;
    Slide<kMove>(Doubles(), axis, rows, position, sums, emit);
    Slide<kMove>(OneDouble(), axis, rows, position, sums, emit);
  }

 private:
  struct Rows {
    const float* entering;
    const float* leaving;
  };
  // Of the window at one position.
  struct Sums {
    double values;
    double squares;
  };

  // Adds the columns from `column` to `end` to `sums`, as many as fill vectors of D.
  template <bool kMove, class D>
  HWY_INLINE void SumColumns(D d, size_t end, const Rows& rows, size_t& column, Sums& sums) {
    auto values = hn::Zero(d);
    auto squares = hn::Zero(d);
    for (; column + hn::Lanes(d) <= end; column += hn::Lanes(d)) {
      if constexpr (kMove) Move(d, column, rows);
      values = hn::Add(values, hn::LoadU(d, values_ + column));
      if constexpr (kSquares) squares = hn::Add(squares, hn::LoadU(d, squares_ + column));
    }
    sums.values += hn::ReduceSum(d, values);
    if constexpr (kSquares) sums.squares += hn::ReduceSum(d, squares);
  }

  // Moves on from the window of `sums` through the positions from `position` on, as many as fill
  // vectors of D. What is carried from vector to vector stays in one: through a scalar the way
  // would be longer than the work.
  template <bool kMove, class D, class Emit>
  HWY_INLINE void Slide(D d, const WindowAxis& axis, const Rows& rows, size_t& position, Sums& sums,
                        Emit emit) {
    auto carried = hn::Set(d, sums.values);
    auto carried_squares = hn::Set(d, sums.squares);
    for (; position + hn::Lanes(d) <= axis.positions; position += hn::Lanes(d)) {
      const size_t leaving = position - 1;
      const size_t entering = leaving + axis.window;
      if constexpr (kMove) Move(d, entering, rows);
      const auto values = ScanDifference(d, values_ + entering, values_ + leaving);
      if constexpr (kSquares) {
        const auto squares = ScanDifference(d, squares_ + entering, squares_ + leaving);
        emit(d, position, hn::Add(carried, values), hn::Add(carried_squares, squares));
        carried_squares = hn::Add(carried_squares, BroadcastLast(d, squares));
      } else {
        emit(d, position, hn::Add(carried, values), carried_squares);
      }
      carried = hn::Add(carried, BroadcastLast(d, values));
    }
    sums = {hn::GetLane(carried), hn::GetLane(carried_squares)};
  }

  template <class D>
  HWY_INLINE hn::Vec<D> ScanDifference(D d, const double* entering, const double* leaving) {
    return Scan(d, hn::Sub(hn::LoadU(d, entering), hn::LoadU(d, leaving)));
  }

  template <class D>
  HWY_INLINE void Move(D d, size_t x, const Rows& rows) {
    hn::Vec<D> in, in_square, out, out_square;
    loader_.Load(d, rows.entering + x, in, in_square);
    loader_.Load(d, rows.leaving + x, out, out_square);
    hn::StoreU(hn::Add(hn::LoadU(d, values_ + x), hn::Sub(in, out)), d, values_ + x);
    if constexpr (kSquares) {
      const auto change = hn::Sub(in_square, out_square);
      hn::StoreU(hn::Add(hn::LoadU(d, squares_ + x), change), d, squares_ + x);
    }
  }

  size_t width_;
  Loader loader_;
  double* values_;
  double* squares_;
};

// The next row of positions of a band: at its first, the columns are as Fill() left them.
template <class Columns, class Emit>
HWY_INLINE void SlideAt(size_t position, const Band& band, const Window& window, const float* x,
                        Columns& columns, Emit emit) {
  if (position == band.begin) {
    columns.template SlideRight<false>(window.horizontal, nullptr, nullptr, emit);
    return;
  }
  const size_t width = window.horizontal.length;
  const float* leaving = x + (position - 1) * width;
  const float* entering = leaving + window.vertical.window * width;
  columns.template SlideRight<true>(window.horizontal, entering, leaving, emit);
}

// Copies a finished row to the output. `streams`: past the caches, for an output that would push
// everything else out of them.
HWY_INLINE void WriteRow(const float* from, float* to, size_t count, bool streams) {
  if (!streams) {
    std::copy_n(from, count, to);
    return;
  }
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const size_t misaligned = reinterpret_cast<uintptr_t>(to) / sizeof(float) % lanes;
  size_t i = std::min(count, misaligned == 0 ? 0 : lanes - misaligned);
  std::copy_n(from, i, to);
  for (; i + lanes <= count; i += lanes) hn::Stream(hn::LoadU(d, from + i), d, to + i);
  std::copy(from + i, from + count, to + i);
}

// Repeats the first and the last position of a row over the outputs beyond them.
template <class T>
HWY_INLINE void FillBeyond(const WindowAxis& axis, T* row) {
  const size_t last = axis.leading + axis.positions - 1;
  std::fill(row, row + axis.leading, row[axis.leading]);
  std::fill(row + last + 1, row + axis.outputs, row[last]);
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_SLIDING_SUMS_INL_H_
