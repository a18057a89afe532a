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

#include "kernels/bands.h"
#include "kernels/pixels-inl.h"
#include "kernels/scratch.h"
#include "kernels/window.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// How far ahead of the sums the rows are fetched, in pixels. What the processor fetches by itself
// starts anew with every row and page.
inline constexpr size_t kAhead = 512;

// Positions along a row after which what has been computed is handed on: little enough for the L1
// cache.
inline constexpr size_t kTile = 256;

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

// What ColumnSums adds up for a pixel: value - pivot and, if asked for, its square.
struct Values {
  double pivot;

  template <class D, class T, class V = hn::Vec<D>>
  HWY_INLINE void Load(D d, const T* from, V& value, V& square) const {
    value = hn::Sub(LoadPixels(d, from), hn::Set(d, pivot));
    square = hn::Mul(value, value);
  }

  // With d = a - b: (a - p)² - (b - p)² = d² + d (2b - 2p). What multiplies and adds at once takes
  // the place of what only adds, of which there is more than enough.
  template <class D, class T, class V = hn::Vec<D>>
  HWY_INLINE void Move(D d, const T* entering, const T* leaving, V& values, V& squares) const {
    const V out = LoadPixels(d, leaving);
    const V change = hn::Sub(LoadPixels(d, entering), out);
    const V twice = hn::MulAdd(out, hn::Set(d, 2.0), hn::Set(d, -2.0 * pivot));
    values = hn::Add(values, change);
    squares = hn::MulAdd(change, twice, hn::MulAdd(change, change, squares));
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

// The rows of samples of a plane.
template <class T>
class Samples {
 public:
  Samples(const T* plane, const Window& window)
      : vertical_(window.vertical),
        horizontal_(window.horizontal),
        first_(plane + vertical_.first * horizontal_.length + horizontal_.first) {}

  // Whether those of a row lie next to each other in the plane, as they always do but in fast mode.
  bool Adjacent() const { return horizontal_.stride == 1; }

  // From a row of samples to the next, in pixels.
  size_t RowDistance() const { return vertical_.stride * horizontal_.length; }

  // In the plane, or brought together in `gathered`.
  const T* Row(size_t index, T* gathered) const {
    const T* row = first_ + index * RowDistance();
    if (Adjacent()) return row;
    for (size_t i = 0; i < horizontal_.samples; ++i) gathered[i] = row[i * horizontal_.stride];
    return gathered;
  }

 private:
  const WindowAxis& vertical_;
  const WindowAxis& horizontal_;
  const T* first_;
};

// The sums per column of a window's height of what Loader makes of each pixel, its square only when
// kSquares. A pivot near the values keeps the squares small, so that a variance taken of them does
// not cancel.
template <bool kSquares, class T, class Loader>
class ColumnSums {
 public:
  // The sums of a window are multiplied by `weight`. `far`: the plane has to be fetched from
  // memory.
  ColumnSums(size_t width, const Loader& loader, double weight, bool far, const ColumnRows<T>& rows)
      : width_(width),
        loader_(loader),
        weight_(weight),
        far_(far),
        values_(rows.values),
        squares_(rows.squares),
        gathered_(rows.entering) {}

  // Whether all that went into the sums was finite: an infinity stays in a running sum, and turns
  // into a NaN that stays when it leaves.
  bool AllFinite() const {
    double trace = 0.0;
    for (size_t x = 0; x < width_; ++x) trace += values_[x] * 0.0;
    return trace == 0.0;
  }

  void Clear() {
    std::fill_n(values_, width_, 0.0);
    if (kSquares) std::fill_n(squares_, width_, 0.0);
  }

  // Adds the first `count` rows of samples from `first` on.
  void Fill(const Samples<T>& samples, size_t first, size_t count) {
    const size_t end = first + count;
    size_t row = first;
    if (samples.Adjacent()) {
      for (; row + kFilled <= end; row += kFilled) {
        AddRows<kFilled>(samples.Row(row, nullptr), samples.RowDistance());
      }
    }
    for (; row < end; ++row) AddRows<1>(samples.Row(row, gathered_), 0);
  }

  // Moves the columns down in several planes, one plane `distance` pixels behind the other:
  // `entering` and `leaving` are the rows of the first.
  void MoveDown(const T* entering, const T* leaving, size_t distance, size_t planes) {
    size_t plane = 0;
    for (; plane + kMoved <= planes; plane += kMoved) {
      MovePlanes<kMoved>(entering + plane * distance, leaving + plane * distance, distance);
    }
    for (; plane < planes; ++plane) {
      MovePlanes<1>(entering + plane * distance, leaving + plane * distance, distance);
    }
  }

  // Calls emit(d, position, sum, sum of squares) for the window at every position of the axis, the
  // sums weighted, and, every kTile positions and at the end, done(position) once those before it
  // have been emitted. With kMove the columns move down on the way: `entering` is added to them and
  // `leaving` taken away.
  template <bool kMove, class Emit, class Done>
  HWY_INLINE void SlideRight(const WindowAxis& axis, const T* entering, const T* leaving, Emit emit,
                             Done done) {
    const Rows rows = {entering, leaving};
    Sums sums = {0.0, 0.0};
    size_t column = 0;
    SumColumns<kMove>(Doubles(), axis.window, rows, column, sums);
    SumColumns<kMove>(OneDouble(), axis.window, rows, column, sums);
    emit(OneDouble(), 0, hn::Set(OneDouble(), sums.values), hn::Set(OneDouble(), sums.squares));
    size_t position = 1;
    while (position + kTile < axis.positions) {
      Slide<kMove>(Doubles(), axis.window, position + kTile, rows, position, sums, emit);
      done(position);
    }
    Slide<kMove>(Doubles(), axis.window, axis.positions, rows, position, sums, emit);
    Slide<kMove>(OneDouble(), axis.window, axis.positions, rows, position, sums, emit);
    done(position);
  }

 private:
  struct Rows {
    const T* entering;
    const T* leaving;
  };
  // Rows that Fill adds at a time, so as to load and store the sums less often.
  static constexpr size_t kFilled = 8;
  // Planes that MoveDown moves in at a time, for the same reason.
  static constexpr size_t kMoved = 4;

  template <size_t kRows>
  void AddRows(const T* rows, size_t distance) {
    ForEachVector(width_, [&](auto d, size_t x) HWY_ATTR {
      auto values = hn::LoadU(d, values_ + x);
      auto squares = hn::Zero(d);
      if constexpr (kSquares) squares = hn::LoadU(d, squares_ + x);
      for (size_t row = 0; row < kRows; ++row) {
        hn::Vec<decltype(d)> value, square;
        if (far_) hwy::Prefetch(rows + (row + kRows) * distance + x);
        loader_.Load(d, rows + row * distance + x, value, square);
        values = hn::Add(values, value);
        if constexpr (kSquares) squares = hn::Add(squares, square);
      }
      hn::StoreU(values, d, values_ + x);
      if constexpr (kSquares) hn::StoreU(squares, d, squares_ + x);
    });
  }

  template <size_t kPlanes>
  void MovePlanes(const T* entering, const T* leaving, size_t distance) {
    ForEachVector(width_, [&](auto d, size_t x) HWY_ATTR {
      auto values = hn::Zero(d);
      auto squares = hn::Zero(d);
      for (size_t plane = 0; plane < kPlanes; ++plane) {
        const T* in = entering + plane * distance + x;
        const T* out = leaving + plane * distance + x;
        if (far_) {
          hwy::Prefetch(in + kAhead);
          hwy::Prefetch(out + kAhead);
        }
        loader_.Move(d, in, out, values, squares);
      }
      hn::StoreU(hn::Add(hn::LoadU(d, values_ + x), values), d, values_ + x);
      if constexpr (kSquares) {
        hn::StoreU(hn::Add(hn::LoadU(d, squares_ + x), squares), d, squares_ + x);
      }
    });
  }

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
      const auto [value, square] = Column<kMove>(d, column, rows);
      values = hn::Add(values, value);
      if constexpr (kSquares) squares = hn::Add(squares, square);
    }
    sums.values += weight_ * hn::ReduceSum(d, values);
    if constexpr (kSquares) sums.squares += weight_ * hn::ReduceSum(d, squares);
  }

  // Moves on from the window of `sums` through the positions from `position` to `end`, as many as
  // fill vectors of D. What is carried from vector to vector stays in one: through a scalar the way
  // would be longer than the work.
  template <bool kMove, class D, class Emit>
  HWY_INLINE void Slide(D d, size_t window, size_t end, const Rows& rows, size_t& position,
                        Sums& sums, Emit emit) {
    auto carried = hn::Set(d, sums.values);
    auto carried_squares = hn::Set(d, sums.squares);
    for (; position + hn::Lanes(d) <= end; position += hn::Lanes(d)) {
      const size_t leaving = position - 1;
      const size_t entering = leaving + window;
      const auto [value, square] = Column<kMove>(d, entering, rows);
      const auto values = Next(d, hn::Sub(value, hn::LoadU(d, values_ + leaving)), carried);
      auto squares = hn::Zero(d);
      if constexpr (kSquares) {
        const auto changes = hn::Sub(square, hn::LoadU(d, squares_ + leaving));
        squares = Next(d, changes, carried_squares);
      }
      emit(d, position, values, squares);
    }
    sums = {hn::GetLane(carried), hn::GetLane(carried_squares)};
  }

  // `carried` and all the changes up to each lane; becomes the last of them.
  template <class D, class V = hn::Vec<D>>
  HWY_INLINE V Next(D d, V changes, V& carried) {
    const V weight = hn::Set(d, weight_);
    const V scan = Scan(d, changes);
    const V sums = hn::MulAdd(scan, weight, carried);
    carried = hn::MulAdd(BroadcastLast(d, scan), weight, carried);
    return sums;
  }

  // Of some columns: what they add up to. (Vectors have no place in std::pair on every target.)
  template <class V>
  struct Pair {
    V values;
    V squares;
  };

  // The sums of the columns from x on, moved down first with kMove.
  template <bool kMove, class D, class V = hn::Vec<D>>
  HWY_INLINE Pair<V> Column(D d, size_t x, const Rows& rows) {
    Pair<V> sums = {hn::LoadU(d, values_ + x), hn::Zero(d)};
    if constexpr (kSquares) sums.squares = hn::LoadU(d, squares_ + x);
    if constexpr (kMove) {
      if (far_) {
        hwy::Prefetch(rows.entering + x + kAhead);
        hwy::Prefetch(rows.leaving + x + kAhead);
      }
      loader_.Move(d, rows.entering + x, rows.leaving + x, sums.values, sums.squares);
      hn::StoreU(sums.values, d, values_ + x);
      if constexpr (kSquares) hn::StoreU(sums.squares, d, squares_ + x);
    }
    return sums;
  }

  size_t width_;
  Loader loader_;
  double weight_;
  bool far_;
  double* values_;
  double* squares_;
  T* gathered_;
};

// Repeats what the first position of a row has over the outputs in front of it.
template <class T>
HWY_INLINE void FillBefore(const WindowAxis& axis, T* row) {
  std::fill_n(row, axis.leading, row[axis.leading]);
}

// Repeats what each position of a row has, one next to the other, over its outputs.
template <class T>
HWY_INLINE void Spread(const WindowAxis& axis, T* row) {
  for (size_t position = axis.positions; position-- > 0;) {
    std::fill_n(row + axis.leading + position * axis.stride, axis.stride,
                row[axis.leading + position]);
  }
}

// Repeats what the last position of a row has over the outputs behind it.
template <class T>
HWY_INLINE void FillBehind(const WindowAxis& axis, T* row) {
  const size_t last = axis.leading + axis.positions * axis.stride - 1;
  std::fill(row + last + 1, row + axis.outputs, row[last]);
}

// Writes the output rows of one vertical position, in all channels of the band, while their columns
// come to be finished: write(row, begin, end). A single row follows the sums span by span, out of
// the nearest cache; several are written one after the other when all is there.
template <class T, class Write>
class OutputRows {
 public:
  OutputRows(const Window& window, size_t position, T* y, Write write)
      : horizontal_(window.horizontal),
        first_(window.vertical.OutputBegin(position)),
        last_(window.vertical.OutputEnd(position)),
        y_(y + first_ * horizontal_.outputs),
        write_(write) {}

  // The columns of the horizontal positions before `position` are finished.
  HWY_INLINE void FinishedBefore(size_t position) {
    const bool all = position == horizontal_.positions;
    if (!all && last_ - first_ > 1) return;
    const size_t end = all ? horizontal_.outputs : LineBefore(y_, horizontal_.leading + position);
    for (size_t row = first_; row < last_; ++row) write_(row, written_, end);
    written_ = end;
  }

 private:
  const WindowAxis& horizontal_;
  size_t first_;
  size_t last_;
  const T* y_;  // the first row
  Write write_;
  size_t written_ = 0;
};

// Slides the window over the positions of a band, through all its channels at once. emit(d, column,
// sum, sum of squares), the sums weighted, puts what belongs to a horizontal position into the rows
// `results`, at `column`, that of its own output; write(row, begin, end) makes of them outputs
// begin … end - 1 of a row. Returns whether all values were finite; if not, the sums are not to be
// trusted.
template <bool kSquares, class T, class Loader, class Result, size_t kResults, class Emit,
          class Write>
HWY_INLINE bool SlideOver(const BandOf<T>& band, const Loader& loader, double weight,
                          const ColumnRows<T>& columns, Result* const (&results)[kResults],
                          Emit emit, Write write) {
  const Window& window = band.window;
  const WindowAxis& horizontal = window.horizontal;
  const size_t plane_size = window.vertical.length * horizontal.length;
  const Samples<T> samples(band.x, window);
  ColumnSums<kSquares, T, Loader> sums(horizontal.samples, loader, weight, band.streams, columns);
  sums.Clear();
  for (size_t channel = 0; channel < band.channels; ++channel) {
    const Samples<T> of_channel(band.x + channel * plane_size, window);
    sums.Fill(of_channel, band.positions.begin, window.vertical.window);
  }
  const auto emit_at = [&](auto d, size_t at, auto sum, auto square)
                           HWY_ATTR { emit(d, horizontal.leading + at, sum, square); };
  for (size_t position = band.positions.begin; position < band.positions.end; ++position) {
    OutputRows outputs(window, position, band.y, write);
    bool begun = false;
    const auto done = [&](size_t end) HWY_ATTR {
      const bool all = end == horizontal.positions;
      if (!all && !samples.Adjacent()) return;
      for (Result* row : results) {
        if (all && !samples.Adjacent()) Spread(horizontal, row);
        if (!begun) FillBefore(horizontal, row);
        if (all) FillBehind(horizontal, row);
      }
      begun = true;
      outputs.FinishedBefore(end);
    };
    const T* entering = nullptr;
    const T* leaving = nullptr;
    if (position != band.positions.begin) {  // where the columns are as Fill() left them
      const size_t above = position - 1;
      entering = samples.Row(above + window.vertical.window, columns.entering);
      leaving = samples.Row(above, columns.leaving);
    }
    if (entering != nullptr && band.channels == 1) {
      sums.template SlideRight<true>(horizontal, entering, leaving, emit_at, done);
    } else {
      if (entering != nullptr) sums.MoveDown(entering, leaving, plane_size, band.channels);
      sums.template SlideRight<false>(horizontal, nullptr, nullptr, emit_at, done);
    }
  }
  return sums.AllFinite();
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_SLIDING_SUMS_INL_H_
