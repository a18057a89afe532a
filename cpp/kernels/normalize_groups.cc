#include "kernels/normalize_groups.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/normalize_groups.cc"
#include <hwy/foreach_target.h>

#include "kernels/bands.h"
#include "kernels/normalize_groups-inl.h"
#include "kernels/scratch.h"
#include "kernels/target.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseNormalizeBand() {
  HWY_EXPORT_T(NormalizeBands, NormalizeBand<T>);
  return HWY_DYNAMIC_POINTER_T(NormalizeBands);
}

float ToFloat(float value) { return value; }
float ToFloat(Float16 value) { return hwy::F32FromF16(hwy::float16_t::FromBits(value.bits)); }

// The mean of the planes' first values. Not that of one plane: another may lie far from it, and a
// mean of some values lies no farther from any window of theirs than they do among themselves.
// Against a pivot that is not finite, every value would come out as NaN.
template <typename T>
double PivotOf(const T* group, size_t channels, size_t plane_size) {
  double sum = 0.0;
  double count = 0.0;
  for (size_t channel = 0; channel < channels; ++channel) {
    const float first = ToFloat(group[channel * plane_size]);
    if (!std::isfinite(first)) continue;
    sum += first;
    count += 1.0;
  }
  // Of few digits, so that the difference to a value like it is exact.
  return count == 0.0 ? 0.0 : static_cast<float>(sum / count);
}

}  // namespace

template <typename T>
Status NormalizeGroups(const T* x, const NchwShape& x_shape, const Groups<T>& groups,
                       const Window& window, ParallelLoop& loop, T* y) {
  if (Status status = ChooseTarget(); !status.ok()) return status;
  const size_t elements = *ElementCount(x_shape);
  const size_t plane_size = x_shape.height * x_shape.width;
  const size_t group_channels = groups.group_channels;
  const size_t per_image = groups.channels / group_channels;
  const bool streams = elements * sizeof(T) >= kStreamedBytes;
  const auto normalize = ChooseNormalizeBand<T>();
  return ForEachBand<NormRows<T>>(
      x_shape.batch * per_image, window, loop,
      [&](size_t group, const Band& band, const NormRows<T>& rows) {
        const size_t channel = group % per_image * group_channels;
        const size_t at = (group / per_image * x_shape.channels + channel) * plane_size;
        const GroupNorm<T> norm = {PivotOf(x + at, group_channels, plane_size), groups.epsilon,
                                   groups.scale + channel, groups.bias + channel, groups.alpha};
        normalize({x + at, y + at, window, band, streams, group_channels}, norm, rows);
      });
}

template Status NormalizeGroups(const float*, const NchwShape&, const Groups<float>&, const Window&,
                                ParallelLoop&, float*);
template Status NormalizeGroups(const Float16*, const NchwShape&, const Groups<Float16>&,
                                const Window&, ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
