#ifndef TLSC_KERNELS_NORMALIZE_GROUPS_H_
#define TLSC_KERNELS_NORMALIZE_GROUPS_H_

#include <cstddef>

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

// What is normalized of each image, and with what.
template <typename T>
struct Groups {
  size_t group_channels;  // divides the next; 1 in fast mode
  size_t channels;        // the first so many; all others are left alone
  const T* scale;
  const T* bias;
  float epsilon;
  float alpha = 1.0f;  // what is below 0 afterwards is multiplied with
};

// What LocalInstanceNormalization, with LeakyRelu or without, and LocalGroupNormalization have in
// common: all but the checks. The former is the latter with groups of one channel. The tensors are
// theirs; x has elements, and the window holds a sample.
template <typename T>
Status NormalizeGroups(const T* x, const NchwShape& x_shape, const Groups<T>& groups,
                       const Window& window, ParallelLoop& loop, T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_NORMALIZE_GROUPS_H_
