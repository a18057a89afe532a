#ifndef TLSC_KERNELS_NORMALIZE_GROUPS_H_
#define TLSC_KERNELS_NORMALIZE_GROUPS_H_

#include <cstddef>

#include "base/float16.h"
#include "base/nchw_shape.h"
#include "base/parallel.h"
#include "base/status.h"
#include "kernels/window.h"

namespace tlsc {

// What LocalInstanceNormalization and LocalGroupNormalization have in common: all but the checks.
// The former is the latter with groups of one channel. The tensors are theirs; x has elements,
// group_channels divides its channels and is 1 in fast mode, and the window holds a sample.
template <typename T>
Status NormalizeGroups(const T* x, const NchwShape& x_shape, size_t group_channels, const T* scale,
                       const T* bias, const Window& window, float epsilon, ParallelLoop& loop,
                       T* y);

}  // namespace tlsc

#endif  // TLSC_KERNELS_NORMALIZE_GROUPS_H_
