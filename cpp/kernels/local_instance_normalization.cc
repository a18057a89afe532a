#include "kernels/local_instance_normalization.h"

#include <cmath>
#include <string>

#include "kernels/arguments.h"
#include "kernels/for_each_plane.h"
#include "kernels/sliding_sums.h"

namespace tlsc {
namespace {

// What one plane is normalised with, besides its own statistics.
struct Affine {
  double scale;
  double bias;
  double epsilon;
};

// Turns the sums of value and value² (from the pivot) into the mean (from the pivot) and into the
// factor scale / sqrt(variance + epsilon), in place.
void SumsToMeanAndFactor(size_t width, double weight, const Affine& affine,
                         const SlidingSums<2>::Rows& rows) {
  for (size_t column = 0; column < width; ++column) {
    const double mean = rows[0][column] * weight;
    const double variance = rows[1][column] * weight - mean * mean;
    // Rounding may leave a flat window slightly below 0. Written so that NaN stays NaN.
    const double clamped = variance < 0.0 ? 0.0 : variance;
    rows[0][column] = mean;
    rows[1][column] = affine.scale / std::sqrt(clamped + affine.epsilon);
  }
}

void NormalizePlane(const float* x, const Window& window, const Affine& affine,
                    SlidingSums<2>& sums, float* y) {
  const size_t width = window.horizontal.outputs;
  const double weight = 1.0 / static_cast<double>(window.area());
  // Against a pivot that is not finite, every value of the plane would come out as NaN.
  const double pivot = std::isfinite(x[0]) ? x[0] : 0.0;
  sums.Sweep(x, pivot, [&](size_t begin, size_t end, const SlidingSums<2>::Rows& rows) {
    SumsToMeanAndFactor(width, weight, affine, rows);
    const double* mean = rows[0];
    const double* factor = rows[1];
    for (size_t row = begin; row < end; ++row) {
      const float* from = x + row * width;
      float* to = y + row * width;
      for (size_t column = 0; column < width; ++column) {
        const double centred = from[column] - pivot - mean[column];
        to[column] = static_cast<float>(centred * factor[column] + affine.bias);
      }
    }
  });
}

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

  const Window window = MakeWindow(x_shape, params.kernel_shape, Padding::kReplicate);
  const size_t planes = x_shape.batch * channels;
  const size_t plane_size = elements / planes;
  return ForEachPlane(
      planes, loop, [&] { return SlidingSums<2>(window); },
      [&](size_t plane, SlidingSums<2>& sums) {
        const size_t channel = plane % channels;
        const Affine affine = {scale[channel], bias[channel], params.epsilon};
        NormalizePlane(x + plane * plane_size, window, affine, sums, y + plane * plane_size);
      });
}

}  // namespace tlsc
