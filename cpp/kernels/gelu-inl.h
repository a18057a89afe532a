// The Gaussian error linear unit (Hendrycks and Gimpel, arXiv 1606.08415).
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_GELU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_GELU_INL_H_
#undef TLSC_KERNELS_GELU_INL_H_
#else
#define TLSC_KERNELS_GELU_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// x · Φ(x), Φ that of the normal distribution, within 5e-7 of |x|.
//
// Φ(x) - 1/2 is x times a quotient of two polynomials of degree 5 in x², of which these come
// nearest to it up to |x| = 5.7, from where on float32 cannot tell Φ from 0 or 1: they are off
// by 1.2e-8.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Gelu(D d, V x) {
  constexpr float kMost = 5.7f;
  constexpr float kAbove[] = {0.3989422023296356f,    0.034940898418426514f,
                              0.004740811884403229f,  0.00017939128156285733f,
                              6.374154509103391e-06f, 2.1580389031328195e-08f};
  constexpr float kBelow[] = {1.0f,
                              0.25424930453300476f,
                              0.029260536655783653f,
                              0.0019445379730314016f,
                              7.676697714487091e-05f,
                              1.1649628959276015e-06f};
  const V most = hn::Set(d, kMost * kMost);
  const V square = hn::Mul(x, x);
  const V in = hn::Min(square, most);
  V above = hn::Set(d, kAbove[5]);
  V below = hn::Set(d, kBelow[5]);
  for (size_t i = 5; i > 0; --i) {
    above = hn::MulAdd(above, in, hn::Set(d, kAbove[i - 1]));
    below = hn::MulAdd(below, in, hn::Set(d, kBelow[i - 1]));
  }
  const V part = hn::MulAdd(x, hn::Div(above, below), hn::Set(d, 0.5f));
  const V end = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), hn::Set(d, 1.0f));
  return hn::Mul(x, hn::IfThenElse(hn::Gt(square, most), end, part));
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_GELU_INL_H_
