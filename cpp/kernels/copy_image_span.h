#ifndef TLSC_KERNELS_COPY_IMAGE_SPAN_H_
#define TLSC_KERNELS_COPY_IMAGE_SPAN_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "kernels/copy_image.h"

// What the vector body of CopyImage and its caller hand to each other.
namespace tlsc {

// Pixels that are worked on at a time, so that what is between the steps stays in the first cache.
inline constexpr size_t kSpan = 1024;

// Where the channels of a span of pixels lie, each a row of the image's elements.
struct ChannelRows {
  const void* of[kMaxImageChannels];
};

struct MutableChannelRows {
  void* of[kMaxImageChannels];
};

// What becomes of one channel of the output; ImageMap says how.
struct ChannelMap {
  bool mixes;     // else channel `first` is taken as it is
  bool is_plain;  // nothing is to be multiplied, divided or added
  size_t first;
  size_t channels;  // of the input
  std::array<float, kMaxImageChannels> weights;
  float multiply;
  float divide;
  float add;
};

struct SpanCopy {
  const void* from;
  ImageLayout from_layout;
  ImageRegion from_region;
  std::array<ChannelMap, kMaxImageChannels> channels;
  void* to;
  ImageLayout to_layout;
  ImageRegion to_region;
  bool streams;  // past the caches, which the output does not fit
};

inline constexpr float kLowestPlausible = -0.5f;
inline constexpr float kHighestPlausible = 1.5f;

struct SpanSummary {
  float least = HUGE_VALF;
  float greatest = -HUGE_VALF;
  double sum = 0;  // of the finite ones
  size_t count = 0;
  size_t finite = 0;
  size_t inside = 0;
};

inline void SummarizeValue(float x, SpanSummary& summary) {
  if (!std::isfinite(x)) return;
  summary.least = std::min(summary.least, x);
  summary.greatest = std::max(summary.greatest, x);
  summary.sum += double{x};
  ++summary.finite;
  if (x >= kLowestPlausible && x <= kHighestPlausible) ++summary.inside;
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_COPY_IMAGE_SPAN_H_
