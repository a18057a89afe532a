#include "kernels/fill_hidden.h"

#include <new>
#include <utility>
#include <vector>

namespace tlsc {
namespace {

// The squares of one size: of each the sum of its visible pixels, channel by channel, and behind
// these their number.
struct Level {
  size_t height;
  size_t width;
  std::vector<float> sums;
};

size_t Half(size_t side) { return side / 2 + side % 2; }

Level Above(const Level& below, size_t values) {
  Level level = {Half(below.height), Half(below.width), {}};
  level.sums.resize(level.height * level.width * values);
  for (size_t y = 0; y < below.height; ++y) {
    for (size_t x = 0; x < below.width; ++x) {
      const float* from = &below.sums[(y * below.width + x) * values];
      float* to = &level.sums[(y / 2 * level.width + x / 2) * values];
      for (size_t k = 0; k < values; ++k) to[k] += from[k];
    }
  }
  return level;
}

// Squares without visible pixels take the mean of the one around them.
void FillFrom(const Level& above, size_t values, Level& level) {
  const size_t channels = values - 1;
  for (size_t y = 0; y < level.height; ++y) {
    for (size_t x = 0; x < level.width; ++x) {
      float* to = &level.sums[(y * level.width + x) * values];
      if (to[channels] > 0) continue;
      const float* from = &above.sums[(y / 2 * above.width + x / 2) * values];
      for (size_t k = 0; k < channels; ++k) to[k] = from[k] / from[channels];
      to[channels] = 1;
    }
  }
}

}  // namespace

template <typename Alpha>
Status FillHidden(float* planes, size_t channels, size_t height, size_t width, const Alpha* alpha) {
  const size_t values = channels + 1;
  const size_t area = height * width;
  try {
    Level first = {Half(height), Half(width), {}};
    first.sums.resize(first.height * first.width * values);
    for (size_t i = 0; i < area; ++i) {
      if (alpha[i] == 0) continue;
      float* to = &first.sums[(i / width / 2 * first.width + i % width / 2) * values];
      for (size_t k = 0; k < channels; ++k) to[k] += planes[k * area + i];
      to[channels] += 1;
    }
    std::vector<Level> levels;
    levels.push_back(std::move(first));
    while (levels.back().height > 1 || levels.back().width > 1)
      levels.push_back(Above(levels.back(), values));
    if (levels.back().sums[channels] == 0) return {};  // nothing is visible
    for (size_t above = levels.size() - 1; above > 0; --above)
      FillFrom(levels[above], values, levels[above - 1]);
    for (size_t i = 0; i < area; ++i) {
      if (alpha[i] != 0) continue;
      const Level& level = levels.front();
      const float* from = &level.sums[(i / width / 2 * level.width + i % width / 2) * values];
      for (size_t k = 0; k < channels; ++k) planes[k * area + i] = from[k] / from[channels];
    }
    return {};
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, "no memory to fill what alpha hides"};
  }
}

template Status FillHidden(float*, size_t, size_t, size_t, const uint8_t*);
template Status FillHidden(float*, size_t, size_t, size_t, const uint16_t*);

}  // namespace tlsc
