#include "kernels/pointwise_conv.h"

#include <algorithm>
#include <new>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pointwise_conv.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/channel_block.h"
#include "kernels/pointwise_block.h"
#include "kernels/pointwise_conv-inl.h"
#include "kernels/scratch.h"
#include "kernels/target.h"
#include "kernels/widened.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseConvolveBlock() {
  HWY_EXPORT_T(ConvolveBlockTable, ConvolveBlock<T>);
  return HWY_DYNAMIC_POINTER_T(ConvolveBlockTable);
}

}  // namespace

template <typename T>
Status PointwiseConv(const PointwiseConvTensors<T>& t, const NchwShape& x_shape, size_t outputs,
                     const PointwiseConvParams& params, ParallelLoop& loop, T* y) {
  if (Status status = CheckPointwiseConv(t, x_shape, outputs, params, y); !status.ok())
    return status;
  const NchwShape y_shape = PointwiseConvShape(x_shape, outputs, params);
  const size_t elements = *ElementCount(y_shape);
  if (elements == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const size_t channels = x_shape.channels;
  const size_t plane = x_shape.height * x_shape.width;
  const size_t most = std::min(BlockPixels(channels + y_shape.channels), plane);
  const size_t per_image = (plane + most - 1) / most;
  const size_t blocks = x_shape.batch * per_image;
  const bool streams = elements * sizeof(T) >= kStreamedBytes;
  const ChannelNorm<T> norm = {t.scale, t.shift, params.norm.epsilon, params.norm.centers};
  std::vector<float> room[3];
  PointwiseLayer<T> layer;
  try {
    layer = {params.normalizes ? &norm : nullptr,
             Widened(t.weights, outputs * channels, room[0]),
             channels,
             Widened(t.bias, outputs, room[1]),
             outputs,
             params.gates,
             t.residual == nullptr ? nullptr : Widened(t.gamma, y_shape.channels, room[2]),
             t.residual};
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, "no memory for the weights in float32"};
  }
  const auto convolve = ChooseConvolveBlock<T>();
  const size_t tasks = std::min(blocks, kMaxTasks);
  const auto cut = [&](RowCutter& cutter) {
    return PointwiseRows(cutter, channels, y_shape.channels, most);
  };
  return RunWithScratch(loop, tasks, cut, [&](size_t task, const PointwiseRows& rows) {
    const size_t end = blocks * (task + 1) / tasks;
    for (size_t block = blocks * task / tasks; block < end; ++block) {
      const size_t image = block / per_image;
      const size_t first = block % per_image * most;
      const size_t at = image * y_shape.channels * plane + first;
      PointwiseLayer<T> here = layer;
      if (here.residual != nullptr) here.residual += at;
      // Of no channels there is no x.
      const T* x = channels == 0 ? nullptr : t.x + image * channels * plane + first;
      convolve({x, y + at, channels, plane, std::min(most, plane - first), streams}, here, rows);
    }
    // What went past the caches is not ordered with what tells other threads that it is done.
    if (streams) hwy::FlushStream();
  });
}

template Status PointwiseConv(const PointwiseConvTensors<float>&, const NchwShape&, size_t,
                              const PointwiseConvParams&, ParallelLoop&, float*);
template Status PointwiseConv(const PointwiseConvTensors<Float16>&, const NchwShape&, size_t,
                              const PointwiseConvParams&, ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
