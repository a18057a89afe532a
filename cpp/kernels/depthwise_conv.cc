#include "kernels/depthwise_conv.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise_conv.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/convolved_rows.h"
#include "kernels/depthwise_conv-inl.h"
#include "kernels/scratch.h"
#include "kernels/target.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseConvolveRows() {
  HWY_EXPORT_T(ConvolveRowsTable, ConvolveRows<T>);
  return HWY_DYNAMIC_POINTER_T(ConvolveRowsTable);
}

}  // namespace

template <typename T>
Status DepthwiseConv(const T* x, const NchwShape& x_shape, const T* weights, const T* bias,
                     Gate gate, ParallelLoop& loop, T* y) {
  if (Status status = CheckDepthwiseConv(x, x_shape, weights, bias, gate, y); !status.ok())
    return status;
  const NchwShape y_shape = DepthwiseConvShape(x_shape, gate);
  const size_t elements = *ElementCount(y_shape);
  if (elements == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const size_t height = x_shape.height;
  const size_t width = x_shape.width;
  const size_t plane = height * width;
  const size_t rows = elements / width;  // of all planes
  const size_t tasks = std::min(RowTasks(elements), rows);
  const bool streams = elements * sizeof(T) >= kStreamedBytes;
  const auto convolve = ChooseConvolveRows<T>();
  const auto cut = [&](RowCutter& cutter) { return ConvolvedRows(cutter, width, gate); };
  return RunWithScratch(loop, tasks, cut, [&](size_t task, const ConvolvedRows& scratch) {
    const size_t end = rows * (task + 1) / tasks;
    for (size_t row = rows * task / tasks; row < end;) {
      const size_t image = row / height / y_shape.channels;
      const size_t channel = row / height % y_shape.channels;
      const Band band = {row % height, std::min(height, row % height + (end - row))};
      const auto channel_at = [&](size_t c) -> ConvolvedChannel<T> {
        return {x + (image * x_shape.channels + c) * plane, weights + 9 * c, bias + c};
      };
      const size_t second = gate == Gate::kNone ? channel : channel + y_shape.channels;
      convolve({channel_at(channel), channel_at(second), y + row / height * plane, height, width,
                band, gate, streams},
               scratch);
      row += band.end - band.begin;
    }
    // What went past the caches is not ordered with what tells other threads that it is done.
    if (streams) hwy::FlushStream();
  });
}

template Status DepthwiseConv(const float*, const NchwShape&, const float*, const float*, Gate,
                              ParallelLoop&, float*);
template Status DepthwiseConv(const Float16*, const NchwShape&, const Float16*, const Float16*,
                              Gate, ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
