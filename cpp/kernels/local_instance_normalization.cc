#include "kernels/local_instance_normalization.h"

#include <cmath>
#include <string>
#include <vector>

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

HWY_EXPORT(NormalizeBand);

class Scratch {
 public:
  explicit Scratch(size_t width)
      : columns_(width),
        squares_(width),
        infinities_(width),
        nans_(width),
        mean_(width),
        factor_(width),
        row_(width) {}

  NormScratch rows() {
    return {columns_.data(), squares_.data(), infinities_.data(), nans_.data(),
            mean_.data(),    factor_.data(),  row_.data()};
  }

 private:
  std::vector<double> columns_;
  std::vector<double> squares_;
  std::vector<double> infinities_;
  std::vector<double> nans_;
  std::vector<double> mean_;
  std::vector<float> factor_;
  std::vector<float> row_;
};

// Against a pivot that is not finite, every value of the plane would come out as NaN.
double PivotOf(const float* plane) { return std::isfinite(plane[0]) ? plane[0] : 0.0; }

}  // namespace

Status Validate(const LocalInstanceNormalizationParams& params) {
  if (Status status = CheckKernelShape(params.kernel_shape); !status.ok()) return status;
  if (std::isfinite(params.epsilon) && params.epsilon >= 0.0f) return {};
  return InvalidArgument("epsilon", "a finite value of at least 0", std::to_string(params.epsilon));
}

Status LocalInstanceNormalization(const float* x, const NchwShape& x_shape, const float* scale,
                                  const float* bias, const LocalInstanceNormalizationParams& params,
                                  ParallelLoop& loop, float* y) {
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
  const Window window = MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate);
  const size_t planes = x_shape.batch * channels;
  const size_t plane_size = elements / planes;
  const bool streams = elements * sizeof(float) >= kStreamedBytes;
  const auto normalize = HWY_DYNAMIC_POINTER(NormalizeBand);
  return ForEachBand(
      planes, window.vertical, loop, [&] { return Scratch(x_shape.width); },
      [&](size_t plane, const Band& band, Scratch& scratch) {
        const float* from = x + plane * plane_size;
        const size_t channel = plane % channels;
        const PlaneNorm norm = {PivotOf(from), params.epsilon, scale[channel], bias[channel]};
        normalize(from, window, band, norm, streams, scratch.rows(), y + plane * plane_size);
      });
}

}  // namespace tlsc
#endif  // HWY_ONCE
