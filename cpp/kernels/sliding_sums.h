#ifndef TLSC_KERNELS_SLIDING_SUMS_H_
#define TLSC_KERNELS_SLIDING_SUMS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <vector>

#include "kernels/window.h"

namespace tlsc {

// Sums over every position of a window in a plane, in float64 and at a cost per pixel that does not
// depend on the window: moving down, each column's sum gains the row that enters and loses the row
// that leaves; moving right, the window's sum does the same with whole columns.
//
// Summed are the powers 1 … kPowers of (value - pivot). A pivot near the values keeps the second
// power small, so that a variance taken from these sums does not cancel.
//
// An object holds the scratch, a few rows, and serves any number of planes, one at a time. Only the
// constructor allocates.
template <size_t kPowers>
class SlidingSums {
  static_assert(kPowers == 1 || kPowers == 2);

 public:
  // rows[k][column]: the sum of power k + 1 for the window behind that output column.
  using Rows = std::array<double*, kPowers>;

  explicit SlidingSums(const Window& window) : window_(window) {
    columns_.fill(std::vector<double>(window.horizontal.length));
    sums_.fill(std::vector<double>(window.horizontal.outputs));
  }

  // Goes down the plane and calls visit(begin, end, rows) for each vertical position: all output
  // rows in [begin, end) belong to it. The visitor may overwrite the rows.
  template <typename Visit>
  void Sweep(const float* plane, double pivot, Visit visit) {
    const WindowAxis& axis = window_.vertical;
    const size_t width = window_.horizontal.length;
    for (auto& column : columns_) std::fill(column.begin(), column.end(), 0.0);
    for (size_t row = 0; row < axis.window; ++row) Accumulate(plane + row * width, pivot, 1.0);
    for (size_t position = 0; position < axis.positions; ++position) {
      if (position > 0) {
        Accumulate(plane + (position + axis.window - 1) * width, pivot, 1.0);
        Accumulate(plane + (position - 1) * width, pivot, -1.0);
      }
      visit(axis.OutputBegin(position), axis.OutputEnd(position), SlideRight());
    }
  }

 private:
  // Adds (sign 1) or takes away (sign -1) one row of the plane.
  void Accumulate(const float* row, double pivot, double sign) {
    const size_t width = window_.horizontal.length;
    for (size_t x = 0; x < width; ++x) {
      const double value = row[x] - pivot;
      columns_[0][x] += sign * value;
      if constexpr (kPowers == 2) columns_[1][x] += sign * value * value;
    }
  }

  Rows SlideRight() {
    const WindowAxis& axis = window_.horizontal;
    Rows rows;
    for (size_t power = 0; power < kPowers; ++power) {
      const double* columns = columns_[power].data();
      rows[power] = sums_[power].data();
      double* sums = rows[power] + axis.leading;
      double sum = std::accumulate(columns, columns + axis.window, 0.0);
      sums[0] = sum;
      for (size_t position = 1; position < axis.positions; ++position) {
        sum += columns[position + axis.window - 1] - columns[position - 1];
        sums[position] = sum;
      }
      std::fill(rows[power], sums, sums[0]);
      std::fill(sums + axis.positions, rows[power] + axis.outputs, sum);
    }
    return rows;
  }

  Window window_;
  std::array<std::vector<double>, kPowers> columns_;
  std::array<std::vector<double>, kPowers> sums_;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_SLIDING_SUMS_H_
