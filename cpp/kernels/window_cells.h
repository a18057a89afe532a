#ifndef TLSC_KERNELS_WINDOW_CELLS_H_
#define TLSC_KERNELS_WINDOW_CELLS_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/window_tiles.h"

namespace tlsc {

// Pixels of an axis that lie in the same windows.
struct Segment {
  size_t begin;
  size_t end;
};

// What the windows' ends cut an axis into, no longer than `most`.
inline std::vector<Segment> SegmentsOf(const WindowTiles& tiles, size_t most) {
  std::vector<size_t> cuts = {0, tiles.length};
  for (size_t index = 0; index < tiles.count; ++index) {
    cuts.push_back(tiles.Begin(index));
    cuts.push_back(tiles.End(index));
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<Segment> segments;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    for (size_t begin = cuts[i]; begin < cuts[i + 1]; begin += most) {
      segments.push_back({begin, std::min(begin + most, cuts[i + 1])});
    }
  }
  return segments;
}

// Some rows of a rectangle whose pixels all lie in the same windows.
struct PlanePart {
  Segment rows;
  Segment columns;

  size_t width() const { return columns.end - columns.begin; }
  size_t pixels() const { return (rows.end - rows.begin) * width(); }
};

// A plane in parts of some `pixels` each, or what there is of a rectangle: each window consists of
// some of them.
class WindowParts {
 public:
  WindowParts(const WindowTiles& vertical, const WindowTiles& horizontal, size_t pixels)
      : rows_(SegmentsOf(vertical, vertical.length)), columns_(SegmentsOf(horizontal, pixels)) {
    for (const Segment& rows : rows_) {
      for (const Segment& across : columns_) {
        first_.push_back(parts_.size());
        const size_t height = rows.end - rows.begin;
        const size_t wanted = height * (across.end - across.begin) / pixels;
        const size_t count = std::clamp<size_t>(wanted, 1, height);
        for (size_t i = 0; i < count; ++i) {
          parts_.push_back(
              {{rows.begin + height * i / count, rows.begin + height * (i + 1) / count}, across});
        }
      }
    }
    first_.push_back(parts_.size());
  }

  size_t count() const { return parts_.size(); }
  const PlanePart& operator[](size_t part) const { return parts_[part]; }

  // Calls visit(part) for the parts of a window, which takes these rows and columns.
  template <typename Visit>
  void ForEachOf(const Segment& rows, const Segment& columns, const Visit& visit) const {
    const auto [top, bottom] = Within(rows_, rows);
    const auto [left, right] = Within(columns_, columns);
    for (size_t row = top; row < bottom; ++row) {
      const size_t* cells = first_.data() + row * columns_.size();
      for (size_t part = cells[left]; part < cells[right]; ++part) visit(part);
    }
  }

 private:
  // The numbers of the segments that a range consists of.
  static Segment Within(const std::vector<Segment>& segments, const Segment& range) {
    const auto before = [](const Segment& segment, size_t at) { return segment.begin < at; };
    const auto at = [&](size_t pixel) {
      return static_cast<size_t>(std::lower_bound(segments.begin(), segments.end(), pixel, before) -
                                 segments.begin());
    };
    return {at(range.begin), at(range.end)};
  }

  std::vector<Segment> rows_;
  std::vector<Segment> columns_;
  std::vector<PlanePart> parts_;  // rectangle by rectangle,
  std::vector<size_t> first_;     // where each one's begin, and the last one's end
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_WINDOW_CELLS_H_
