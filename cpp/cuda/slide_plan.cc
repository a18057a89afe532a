#include "cuda/slide_plan.h"

#include <algorithm>

namespace tlsc::cuda {
namespace {

size_t CeilOfQuotient(size_t a, size_t b) { return (a + b - 1) / b; }

// Of a strip of so many outputs, wherever it begins.
size_t ColumnsUnder(const WindowAxis& axis, size_t outputs) {
  const size_t positions = std::min(axis.positions, (outputs - 1) / axis.stride + 2);
  return positions + axis.window - 1;
}

}  // namespace

SlidePlan MakeSlidePlan(const Window& window, size_t planes, size_t sum_bytes,
                        const DeviceLimits& device) {
  const WindowAxis& across = window.horizontal;
  const size_t height = window.vertical.outputs;
  SlidePlan plan = {};
  plan.window = window;
  plan.planes = planes;
  plan.segments = CeilOfQuotient(window.vertical.samples, kSegmentRows);

  // Two blocks at least share a multiprocessor, so that one computes while the other loads.
  const auto fits = [&](size_t strips, size_t step_rows, size_t budget) {
    plan.strip_width = CeilOfQuotient(across.outputs, strips);
    plan.strips = CeilOfQuotient(across.outputs, plan.strip_width);
    plan.step_rows = step_rows;
    plan.pitch = ColumnsUnder(across, plan.strip_width);
    return plan.shared_bytes(sum_bytes) <= budget;
  };
  // Strips read the columns of half a window more than they write, on either side.
  const size_t most_strips =
      std::max<size_t>(across.outputs / std::max<size_t>(across.window, 32), 1);
  const auto choose = [&] {
    for (size_t strips = 1; strips <= most_strips; strips *= 2) {
      for (const size_t step_rows : {size_t{8}, size_t{4}}) {
        if (fits(strips, step_rows, device.shared_bytes / 2)) return true;
      }
    }
    for (const size_t step_rows : {size_t{4}, size_t{2}, size_t{1}}) {
      if (fits(most_strips, step_rows, device.shared_bytes)) return true;
    }
    return false;
  };
  plan.in_shared = choose();
  if (!plan.in_shared) fits(1, 8, 0);

  const size_t wanted = CeilOfQuotient(4 * device.multiprocessors, planes * plan.strips);
  const size_t bands = std::min(wanted, CeilOfQuotient(height, kSegmentRows));
  plan.band_rows = CeilOfQuotient(height, bands);
  plan.bands = CeilOfQuotient(height, plan.band_rows);
  return plan;
}

}  // namespace tlsc::cuda
