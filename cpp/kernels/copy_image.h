#ifndef TLSC_KERNELS_COPY_IMAGE_H_
#define TLSC_KERNELS_COPY_IMAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/parallel.h"
#include "base/status.h"

namespace tlsc {

// What an element of an image is. Whole numbers stand for the fractions 0 to 1 of their type's
// largest one.
enum class Element { kUint8, kUint16, kFloat16, kFloat32 };

size_t SizeOf(Element element);

inline constexpr size_t kMaxImageChannels = 4;

// How one image lies in memory, contiguous: its channels one behind the other, or those of a pixel
// side by side.
struct ImageLayout {
  Element element;
  bool channels_last;
  size_t channels;  // 1 to kMaxImageChannels
  size_t height;    // 1 or more, like width
  size_t width;
};

// Nothing is taken for granted of a layout before this has been asked.
Status CheckLayout(const char* name, const ImageLayout& layout);

// The size of a valid layout's image, in bytes.
size_t ByteSize(const ImageLayout& layout);

// A part of an image, in pixels.
struct ImageRegion {
  size_t top;
  size_t left;
  size_t height;  // 1 or more, like width
  size_t width;
};

ImageRegion WholeOf(const ImageLayout& layout);

// Of a region of a valid layout's image.
Status CheckRegion(const char* name, const ImageRegion& region, const ImageLayout& layout);

// What becomes of a pixel. Output channel c is
//
//   y[c] = (Σ mix[c][k] · x[k]) · multiply[c] / divide[c] + add[c]
//
// in float32, in this order. A row of `mix` that is zero but for a single 1 takes that channel as
// it is. Of an image of whole numbers x is these numbers, and divide[c] is multiplied by the
// largest of them first: 8-bit samples times 255 / 255 come out as they are.
struct ImageMap {
  std::array<std::array<float, kMaxImageChannels>, kMaxImageChannels> mix;
  std::array<float, kMaxImageChannels> multiply;
  std::array<float, kMaxImageChannels> divide;
  std::array<float, kMaxImageChannels> add;
};

// What was written.
struct ImageSummary {
  bool finite;  // all of it
  // Of the values that are finite; 0 where there are none.
  float least;
  float greatest;
  double mean;
  // The share of values below -1/2 or above 3/2, or not finite.
  double outside;
};

// Copies an image into another layout, its pixels mapped on the way. An output that is smaller gets
// the upper left of the input. One that is larger is filled up at the bottom and on the right by
// reflection (without repeating the border), or, where that would take more rows or columns than
// there are, by repeating the last row or column.
//
//   from, to  of ByteSize(layout) bytes; they must not overlap. `to` may be null where a summary
//   alone
//             is wanted. Whole numbers to be written are
//             clipped to 0 to 1 (NaN is 0) and rounded to the nearest in float64, halves up.
//   loop      runs bands of rows; the result does not depend on how, but for the last digits of the
//             summary's mean.
//   summary   null, or where it goes; of the pixels that the input has, not of what is filled up.
//             Of float32 outputs only.
//
// Returns kInvalidArgument before `to` is touched, or what the loop returned.
Status CopyImage(const void* from, const ImageLayout& from_layout, const ImageMap& map,
                 ParallelLoop& loop, void* to, const ImageLayout& to_layout, ImageSummary* summary);

// The same from a region of one image, as if that were all of it, into a region of another, and
// nothing is touched outside of that.
Status CopyImageRegion(const void* from, const ImageLayout& from_layout,
                       const ImageRegion& from_region, const ImageMap& map, ParallelLoop& loop,
                       void* to, const ImageLayout& to_layout, const ImageRegion& to_region,
                       ImageSummary* summary);

}  // namespace tlsc

#endif  // TLSC_KERNELS_COPY_IMAGE_H_
