#ifndef TLSC_KERNELS_WIDENED_H_
#define TLSC_KERNELS_WIDENED_H_

#include <hwy/base.h>

#include <cstddef>
#include <vector>

#include "base/float16.h"

namespace tlsc {

// The values of a parameter in float32, in `room` where they are not. Throws std::bad_alloc.
inline const float* Widened(const float* values, size_t, std::vector<float>&) { return values; }

inline const float* Widened(const Float16* values, size_t count, std::vector<float>& room) {
  if (values == nullptr) return nullptr;
  room.resize(count);
  for (size_t i = 0; i < count; ++i) {
    room[i] = hwy::F32FromF16(hwy::float16_t::FromBits(values[i].bits));
  }
  return room.data();
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_WIDENED_H_
