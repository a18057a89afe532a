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

// What the windows' ends cut an axis into.
inline std::vector<Segment> SegmentsOf(const WindowTiles& tiles) {
  std::vector<size_t> cuts = {0, tiles.length};
  for (size_t index = 0; index < tiles.count; ++index) {
    cuts.push_back(tiles.Begin(index));
    cuts.push_back(tiles.End(index));
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<Segment> segments;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) segments.push_back({cuts[i], cuts[i + 1]});
  return segments;
}

// Some rows of a rectangle whose pixels all lie in the same windows.
struct PlanePart {
  Segment rows;
  Segment columns;

  size_t width() const { return columns.end - columns.begin; }
  size_t pixels() const { return (rows.end - rows.begin) * width(); }
};

// A plane in parts of some `pixels` each, or what there is of a rectangle. Each window is the sum
// of some of them.
inline std::vector<PlanePart> PartsOf(const WindowTiles& vertical, const WindowTiles& horizontal,
                                      size_t pixels) {
  std::vector<PlanePart> parts;
  const std::vector<Segment> columns = SegmentsOf(horizontal);
  for (const Segment& rows : SegmentsOf(vertical)) {
    for (const Segment& across : columns) {
      const size_t height = rows.end - rows.begin;
      const size_t count =
          std::clamp<size_t>(height * (across.end - across.begin) / pixels, 1, height);
      for (size_t i = 0; i < count; ++i) {
        parts.push_back(
            {{rows.begin + height * i / count, rows.begin + height * (i + 1) / count}, across});
      }
    }
  }
  return parts;
}

// Whether a part lies in the window that begins at a row and a column.
inline bool Holds(const WindowTiles& vertical, size_t row, const WindowTiles& horizontal,
                  size_t column, const PlanePart& part) {
  return vertical.Begin(row) <= part.rows.begin && part.rows.end <= vertical.End(row) &&
         horizontal.Begin(column) <= part.columns.begin &&
         part.columns.end <= horizontal.End(column);
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_WINDOW_CELLS_H_
