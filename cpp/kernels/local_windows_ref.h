#ifndef TLSC_KERNELS_LOCAL_WINDOWS_REF_H_
#define TLSC_KERNELS_LOCAL_WINDOWS_REF_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/nchw_shape.h"

namespace tlsc {

// Where the windows of an axis begin, by the published loop: one after the other as long as they
// end before the axis does, then one that ends with it. For tests only, as all below.
inline std::vector<size_t> WindowStartsRef(size_t length, size_t kernel) {
  const size_t window = std::min(kernel, length);
  const size_t count = (length + window - 1) / window;
  const size_t step = count == 1 ? window : (length - window + count - 2) / (count - 1);
  std::vector<size_t> starts;
  for (size_t start = 0; start + window < length; start += step) starts.push_back(start);
  starts.push_back(length - window);
  return starts;
}

// Pixel [n, c, i, j] of the mean of the windows p, [N·R·Q, C, kh', kw'], of an image of shape x, in
// float64.
inline double LocalWindowMergeRef(const float* p, const NchwShape& p_shape, const NchwShape& x,
                                  size_t n, size_t c, size_t i, size_t j) {
  const std::vector<size_t> rows = WindowStartsRef(x.height, p_shape.height);
  const std::vector<size_t> columns = WindowStartsRef(x.width, p_shape.width);
  double sum = 0.0;
  double count = 0.0;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t q = 0; q < columns.size(); ++q) {
      if (i < rows[r] || i >= rows[r] + p_shape.height) continue;
      if (j < columns[q] || j >= columns[q] + p_shape.width) continue;
      const size_t image = (n * rows.size() + r) * columns.size() + q;
      const size_t row = (image * x.channels + c) * p_shape.height + (i - rows[r]);
      sum += double{p[row * p_shape.width + (j - columns[q])]};
      count += 1.0;
    }
  }
  return sum / count;
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_WINDOWS_REF_H_
