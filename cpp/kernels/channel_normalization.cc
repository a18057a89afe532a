#include "kernels/channel_normalization.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/channel_normalization.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/channel_block.h"
#include "kernels/channel_normalization-inl.h"
#include "kernels/scratch.h"
#include "kernels/target.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseNormalizeBlock() {
  HWY_EXPORT_T(NormalizeBlockTable, NormalizeBlock<T>);
  return HWY_DYNAMIC_POINTER_T(NormalizeBlockTable);
}

}  // namespace

template <typename T>
Status ChannelNormalization(const T* x, const NchwShape& x_shape, const T* scale, const T* bias,
                            const ChannelNormalizationParams& params, ParallelLoop& loop, T* y) {
  if (Status status = CheckChannelNormalization(x, x_shape, scale, bias, params, y); !status.ok())
    return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;

  const size_t channels = x_shape.channels;
  const size_t plane = x_shape.height * x_shape.width;
  const size_t most = std::min(BlockPixels(channels), plane);
  const size_t per_image = (plane + most - 1) / most;
  const size_t blocks = x_shape.batch * per_image;
  const size_t tasks = std::min(RowTasks(elements), blocks);
  const bool streams = elements * sizeof(T) >= kStreamedBytes;
  const ChannelNorm<T> norm = {scale, bias, params.epsilon, params.centers};
  const auto normalize = ChooseNormalizeBlock<T>();
  const auto cut = [&](RowCutter& cutter) { return BlockRows(cutter, channels, most); };
  return RunWithScratch(loop, tasks, cut, [&](size_t task, const BlockRows& rows) {
    const size_t end = blocks * (task + 1) / tasks;
    for (size_t block = blocks * task / tasks; block < end; ++block) {
      const size_t first = block % per_image * most;
      const size_t pixels = std::min(most, plane - first);
      const size_t at = block / per_image * channels * plane + first;
      normalize({x + at, y + at, channels, plane, pixels, streams}, norm, rows);
    }
    // What went past the caches is not ordered with what tells other threads that it is done.
    if (streams) hwy::FlushStream();
  });
}

template Status ChannelNormalization(const float*, const NchwShape&, const float*, const float*,
                                     const ChannelNormalizationParams&, ParallelLoop&, float*);
template Status ChannelNormalization(const Float16*, const NchwShape&, const Float16*,
                                     const Float16*, const ChannelNormalizationParams&,
                                     ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
