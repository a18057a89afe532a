#ifndef TLSC_KERNELS_COPY_IMAGE_REF_H_
#define TLSC_KERNELS_COPY_IMAGE_REF_H_

#include <cstddef>
#include <vector>

#include "kernels/copy_image.h"

namespace tlsc {

// Where an output index lies in an input of `length`, by the definition. For tests only.
inline size_t CopyImagePlaceRef(size_t index, size_t length, size_t padded) {
  if (index < length) return index;
  const bool reflects = padded - length <= length - 1;
  return reflects ? 2 * (length - 1) - index : length - 1;
}

// Output channel c of a pixel with the given channels (whole numbers as such), in float64, before
// it is rounded to the output's type. For tests only.
inline double CopyImageRef(const std::vector<double>& x, double largest, const ImageMap& map,
                           size_t c) {
  double mixed = 0;
  for (size_t k = 0; k < x.size(); ++k) mixed += double{map.mix[c][k]} * x[k];
  return mixed * double{map.multiply[c]} / (double{map.divide[c]} * largest) + double{map.add[c]};
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_COPY_IMAGE_REF_H_
