#ifndef TLSC_CUDA_LOCAL_WINDOWS_BODY_H_
#define TLSC_CUDA_LOCAL_WINDOWS_BODY_H_

#include <cstddef>

#include "base/nchw_shape.h"
#include "cuda/host_device.h"
#include "cuda/pixel.h"
#include "kernels/local_windows.h"
#include "kernels/window_tiles.h"

// The bodies of LocalWindowPartition and LocalWindowMerge: element after element.
namespace tlsc::cuda {

// An image cut into windows. The windows of one image follow each other, row by row.
struct WindowGrid {
  size_t channels;
  WindowTiles vertical;
  WindowTiles horizontal;

  constexpr size_t plane() const { return vertical.window * horizontal.window; }

  // The element of the windows that pixel (i, j) of a window is, in one channel of an image.
  constexpr size_t ElementOf(size_t image, size_t channel, size_t r, size_t q, size_t i,
                             size_t j) const {
    const size_t window = (image * vertical.count + r) * horizontal.count + q;
    return (window * channels + channel) * plane() + i * horizontal.window + j;
  }
};

// Of images that are cut.
inline WindowGrid GridOf(const NchwShape& x_shape, const KernelShape& kernel_shape,
                         const PlanePlace& place) {
  return {x_shape.channels, MakeWindowTiles(x_shape.height, kernel_shape[0], place.vertical),
          MakeWindowTiles(x_shape.width, kernel_shape[1], place.horizontal)};
}

// Of the windows of images.
inline WindowGrid GridOf(const NchwShape& p_shape, const NchwShape& x_shape,
                         const PlanePlace& place) {
  return {x_shape.channels, TilesOf(x_shape.height, p_shape.height, place.vertical),
          TilesOf(x_shape.width, p_shape.width, place.horizontal)};
}

template <typename T>
struct PartitionArguments {
  WindowGrid grid;
  const T* x;
  T* y;
};

template <typename T>
struct MergeArguments {
  WindowGrid grid;
  const T* p;
  T* y;
};

// What one thread does of LocalWindowPartition.
template <typename T>
TLSC_HOST_DEVICE void RunElement(const PartitionArguments<T>& of, size_t element) {
  const auto& [channels, vertical, horizontal] = of.grid;
  const size_t column = element % horizontal.window;
  const size_t row = element / horizontal.window % vertical.window;
  const size_t channel = element / of.grid.plane() % channels;
  const size_t window = element / of.grid.plane() / channels;
  const size_t q = window % horizontal.count;
  const size_t r = window / horizontal.count % vertical.count;
  const size_t image = window / horizontal.count / vertical.count;
  const size_t x_row = (image * channels + channel) * vertical.length + vertical.Begin(r) + row;
  of.y[element] = of.x[x_row * horizontal.length + horizontal.Begin(q) + column];
}

// What one thread does of LocalWindowMerge.
template <typename T>
TLSC_HOST_DEVICE void RunElement(const MergeArguments<T>& of, size_t element) {
  const size_t channels = of.grid.channels;
  const WindowTiles& vertical = of.grid.vertical;
  const WindowTiles& horizontal = of.grid.horizontal;
  const size_t column = element % horizontal.length;
  const size_t row = element / horizontal.length % vertical.length;
  const size_t channel = element / horizontal.length / vertical.length % channels;
  const size_t image = element / horizontal.length / vertical.length / channels;
  const size_t r_begin = vertical.FirstOver(row);
  const size_t r_end = vertical.EndOver(row);
  const size_t q_begin = horizontal.FirstOver(column);
  const size_t q_end = horizontal.EndOver(column);
  const size_t count = (r_end - r_begin) * (q_end - q_begin);
  const auto value = [&](size_t r, size_t q) {
    return of.p[of.grid.ElementOf(image, channel, r, q, row - vertical.Begin(r),
                                  column - horizontal.Begin(q))];
  };
  if (count == 1) {
    of.y[element] = value(r_begin, q_begin);
    return;
  }
  const auto mean_in = [&](auto sum) {
    for (size_t r = r_begin; r < r_end; ++r) {
      for (size_t q = q_begin; q < q_end; ++q) sum += Widen(value(r, q));
    }
    return static_cast<float>(sum / static_cast<decltype(sum)>(count));
  };
  float mean = mean_in(0.0f);
  if (!IsFinite(mean)) mean = mean_in(0.0);  // the sum may have been too large for float32
  of.y[element] = Narrow<T>(mean);
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_LOCAL_WINDOWS_BODY_H_
