#include "kernels/local_instance_normalization.h"

#include <cmath>
#include <string>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_instance_normalization.cc"
#include <hwy/foreach_target.h>

#include "kernels/arguments.h"
#include "kernels/bands.h"
#include "kernels/local_instance_normalization-inl.h"
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

// Against a pivot that is not finite, every value of the plane would come out as NaN.
double PivotOf(float first) { return std::isfinite(first) ? first : 0.0; }

}  // namespace

Status Validate(const LocalInstanceNormalizationParams& params) {
  if (Status status = CheckKernelShape(params.kernel_shape); !status.ok()) return status;
  if (Status status = CheckMaxStride(params.max_stride); !status.ok()) return status;
  if (std::isfinite(params.epsilon) && params.epsilon >= 0.0f) return {};
  return InvalidArgument("epsilon", "a finite value of at least 0", std::to_string(params.epsilon));
}

template <typename T>
Status LocalInstanceNormalization(const T* x, const NchwShape& x_shape, const T* scale,
                                  const T* bias, const LocalInstanceNormalizationParams& params,
                                  ParallelLoop& loop, T* y) {
  if (Status status = Validate(params); !status.ok()) return status;
  if (Status status = CheckAddressable(x_shape); !status.ok()) return status;
  const size_t elements = *ElementCount(x_shape);
  if (elements == 0) return {};
  const size_t channels = x_shape.channels;
  if (Status status = CheckPointer("X", x, elements); !status.ok()) return status;
  if (Status status = CheckPointer("scale", scale, channels); !status.ok()) return status;
  if (Status status = CheckPointer("B", bias, channels); !status.ok()) return status;
  if (Status status = CheckPointer("Y", y, elements); !status.ok()) return status;

  if (Status status = ChooseTarget(); !status.ok()) return status;
  const Window window =
      MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate, params.max_stride);
  if (Status status = CheckWindow(window); !status.ok()) return status;
  const size_t planes = x_shape.batch * channels;
  const size_t plane_size = elements / planes;
  const bool streams = elements * sizeof(T) >= kStreamedBytes;
  const auto normalize = ChooseNormalizeBand<T>();
  return ForEachBand<NormRows<T>>(
      planes, window, loop, [&](size_t plane, const Band& band, const NormRows<T>& rows) {
        const T* from = x + plane * plane_size;
        const size_t channel = plane % channels;
        const PlaneNorm norm = {PivotOf(ToFloat(from[0])), params.epsilon, ToFloat(scale[channel]),
                                ToFloat(bias[channel])};
        normalize({from, y + plane * plane_size, window, band, streams}, norm, rows);
      });
}

template Status LocalInstanceNormalization(const float*, const NchwShape&, const float*,
                                           const float*, const LocalInstanceNormalizationParams&,
                                           ParallelLoop&, float*);
template Status LocalInstanceNormalization(const Float16*, const NchwShape&, const Float16*,
                                           const Float16*, const LocalInstanceNormalizationParams&,
                                           ParallelLoop&, Float16*);

}  // namespace tlsc
#endif  // HWY_ONCE
