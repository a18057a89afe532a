// LeakyRelu of vectors, and of rows of pixels.
//
// Compiled once per target: include behind hwy/foreach_target.h.

#if defined(TLSC_KERNELS_LEAKY_RELU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TLSC_KERNELS_LEAKY_RELU_INL_H_
#undef TLSC_KERNELS_LEAKY_RELU_INL_H_
#else
#define TLSC_KERNELS_LEAKY_RELU_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>

#include "kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tlsc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V = hn::Vec<D>>
HWY_INLINE V LeakyRelu(D d, V value, hn::TFromD<D> alpha) {
  return hn::IfNegativeThenElse(value, hn::Mul(value, hn::Set(d, alpha)), value);
}

template <class T>
void LeakyReluSpan(const T* x, T* y, size_t count, float alpha, bool streams) {
  WriteSpan(y, 0, count, streams,
            [=](auto d, size_t i) HWY_ATTR { return LeakyRelu(d, LoadPixels(d, x + i), alpha); });
  if (streams) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tlsc
HWY_AFTER_NAMESPACE();

#endif  // TLSC_KERNELS_LEAKY_RELU_INL_H_
