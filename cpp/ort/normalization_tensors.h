#ifndef TLSC_ORT_NORMALIZATION_TENSORS_H_
#define TLSC_ORT_NORMALIZATION_TENSORS_H_

#include <vector>

#include "ort/custom_op.h"

namespace tlsc::ort {

// What every normalization takes and gives: X [N, C, H, W], a scale and a bias for each channel,
// and Y like X.
template <typename T>
struct NormalizationTensors {
  explicit NormalizationTensors(const KernelContext& context);

  const T* x;
  NchwShape shape;
  const T* scale;
  const T* bias;
  T* y;
};

template <typename T>
NormalizationTensors<T>::NormalizationTensors(const KernelContext& context) {
  const InputTensor<T> input = context.Input<T>(0, "X");
  const InputTensor<T> scales = context.Input<T>(1, "scale");
  const InputTensor<T> biases = context.Input<T>(2, "B");
  shape = ExpectNchw(input);
  const std::vector<int64_t> per_channel = {input.dims[1]};
  ExpectShape(scales, per_channel);
  ExpectShape(biases, per_channel);
  x = input.data;
  scale = scales.data;
  bias = biases.data;
  y = context.Output<T>(0, shape);
}

}  // namespace tlsc::ort

#endif  // TLSC_ORT_NORMALIZATION_TENSORS_H_
