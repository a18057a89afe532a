// The vector body of DepthwiseConv.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_DEPTHWISE_CONV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_DEPTHWISE_CONV_INL_H_
#undef TLSC_KERNELS_DEPTHWISE_CONV_INL_H_
#else
#define TLSC_KERNELS_DEPTHWISE_CONV_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "kernels/convolved_rows.h"
#include "kernels/gelu-inl.h"
#include "kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

static_assert(kRowBorder >= hn::MaxLanes(Floats()), "a vector of zeros");

// Copies a row of the plane to where it has zeros on both sides.
template <class T>
HWY_INLINE void TakeRow(const T* x, size_t width, float* row) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  std::fill(row, row + kRowBorder, 0.0f);
  float* to = row + kRowBorder;
  size_t i = 0;
  for (; i + lanes <= width; i += lanes) hn::StoreU(LoadPixels(d, x + i), d, to + i);
  for (; i < width; ++i) to[i] = LoadFloat(x + i);
  std::fill(to + width, to + width + kRowBorder, 0.0f);
}

// The rows above, at and below `row` of the plane. With `all`, also those that the call before has
// left where they are.
template <class T>
HWY_INLINE void TakeRows(const ConvolvedBand<T>& of, const T* x, size_t row, bool all,
                         const RowRing& ring, const float* zeros, const float* (&taken)[3]) {
  for (size_t k = 0; k < 3; ++k) {
    const size_t at = row + k;  // the row of the plane, and one
    const bool exists = at >= 1 && at <= of.height;
    float* place = ring.rows[at % 3];
    if (exists && (all || k == 2)) TakeRow(x + (at - 1) * of.width, of.width, place);
    taken[k] = exists ? place : zeros;
  }
}

// Convolved values of a row: value(d, i) from rows that it holds on to.
class Convolver {
 public:
  template <class T>
  Convolver(const ConvolvedChannel<T>& of, const float* const (&rows)[3])
      : bias_(LoadFloat(of.bias)) {
    for (size_t k = 0; k < 9; ++k) weights_[k] = LoadFloat(of.weights + k);
    for (size_t k = 0; k < 3; ++k) rows_[k] = rows[k] + kRowBorder - 1;
  }

  template <class D>
  HWY_INLINE hn::Vec<D> operator()(D d, size_t i) const {
    auto sum = hn::Set(d, bias_);
    for (size_t k = 0; k < 3; ++k) {
      const float* from = rows_[k] + i;
      for (size_t l = 0; l < 3; ++l) {
        sum = hn::MulAdd(hn::LoadU(d, from + l), hn::Set(d, weights_[3 * k + l]), sum);
      }
    }
    return sum;
  }

 private:
  float bias_;
  float weights_[9];
  const float* rows_[3];
};

// Convolves the rows of `band`. `streams`: past the caches; flush when the task is done.
template <class T>
void ConvolveRows(const ConvolvedBand<T>& of, const ConvolvedRows& scratch) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  std::fill(scratch.zeros, scratch.zeros + of.width + 2 * kRowBorder, 0.0f);
  for (size_t row = of.rows.begin; row < of.rows.end; ++row) {
    const bool all = row == of.rows.begin;
    T* y = of.y + row * of.width;
    const float* taken[3];
    TakeRows(of, of.first.x, row, all, scratch.first, scratch.zeros, taken);
    const Convolver first(of.first, taken);
    if (of.gate == Gate::kNone) {
      WriteSpan(y, 0, of.width, of.streams, first);
      continue;
    }
    for (size_t i = 0; i < of.width; i += lanes) hn::StoreU(first(d, i), d, scratch.values + i);
    const float* taken_second[3];
    TakeRows(of, of.second.x, row, all, scratch.second, scratch.zeros, taken_second);
    const Convolver second(of.second, taken_second);
    const float* values = scratch.values;
    if (of.gate == Gate::kProduct) {
      WriteSpan(y, 0, of.width, of.streams, [=](auto dv, size_t i) HWY_ATTR {
        return hn::Mul(hn::LoadU(dv, values + i), second(dv, i));
      });
    } else {
      WriteSpan(y, 0, of.width, of.streams, [=](auto dv, size_t i) HWY_ATTR {
        return hn::Mul(Gelu(dv, hn::LoadU(dv, values + i)), second(dv, i));
      });
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_DEPTHWISE_CONV_INL_H_
