#ifndef TLSC_ORT_NORMALIZATION_TENSORS_H_
#define TLSC_ORT_NORMALIZATION_TENSORS_H_

#include <vector>

#include "ort/custom_op.h"

namespace tlsc::ort {

// What a normalization does to each channel afterwards.
enum class Affine { kScale, kScaleAndBias };

// What every normalization takes and gives: X [N, C, H, W], a scale and, most of them, a bias for
// each channel, and Y like X.
template <typename T>
struct NormalizationTensors {
  explicit NormalizationTensors(const KernelContext& context,
                                Affine affine = Affine::kScaleAndBias);

  const T* x;
  NchwShape shape;
  const T* scale;
  const T* bias = nullptr;
  T* y;
};

template <typename T>
NormalizationTensors<T>::NormalizationTensors(const KernelContext& context, Affine affine) {
  const InputTensor<T> input = context.Input<T>(0, "X");
  const InputTensor<T> scales = context.Input<T>(1, "scale");
  shape = ExpectNchw(input);
  const std::vector<int64_t> per_channel = {input.dims[1]};
  ExpectShape(scales, per_channel);
  if (affine == Affine::kScaleAndBias) {
    const InputTensor<T> biases = context.Input<T>(2, "B");
    ExpectShape(biases, per_channel);
    bias = biases.data;
  }
  x = input.data;
  scale = scales.data;
  y = context.Output<T>(0, shape);
}

}  // namespace tlsc::ort

#endif  // TLSC_ORT_NORMALIZATION_TENSORS_H_
