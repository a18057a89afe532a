#ifndef TLSC_KERNELS_FILL_HIDDEN_H_
#define TLSC_KERNELS_FILL_HIDDEN_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace tlsc {

// Gives every pixel whose alpha is 0 a colour that comes of visible pixels alone: their mean in the
// smallest square around it that has any, of the squares of side 2, 4, 8, … that the image is
// divided into from its upper left corner on. What was there, nobody has meant to be seen, and it
// would get into the neighbours' restoration, and into the mean of every window that it lies in.
// Where nothing is visible, nothing is changed.
//
//   planes  [channels, height, width], float32; in place
//   alpha   [height, width]
//
// Takes memory for a third of the pixels; returns kOutOfMemory, nothing changed, where there is
// none.
template <typename Alpha>
Status FillHidden(float* planes, size_t channels, size_t height, size_t width, const Alpha* alpha);

extern template Status FillHidden(float*, size_t, size_t, size_t, const uint8_t*);
extern template Status FillHidden(float*, size_t, size_t, size_t, const uint16_t*);

}  // namespace tlsc

#endif  // TLSC_KERNELS_FILL_HIDDEN_H_
