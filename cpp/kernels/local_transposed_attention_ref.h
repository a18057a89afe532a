#ifndef TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_REF_H_
#define TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_REF_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/local_transposed_attention.h"
#include "kernels/local_windows_ref.h"

namespace tlsc {

// Values, and how far the kernel may be off, before what it is written in rounds.
struct AttentionRef {
  std::vector<double> values;
  std::vector<double> errors;
};

// Adds what one window, `width` pixels wide, makes of one head: rows of its queries, keys and
// values begin at `x`, one channel a plane behind the other.
struct AttentionWindowRef {
  const float* queries;
  const float* keys;
  const float* values;
  size_t channels, plane, row, height, width;
  double temperature, epsilon;

  double At(const float* rows, size_t c, size_t i, size_t j) const {
    return double{rows[c * plane + i * row + j]};
  }
  template <typename Visit>
  void ForEachPixel(const Visit& visit) const {
    for (size_t i = 0; i < height; ++i) {
      for (size_t j = 0; j < width; ++j) visit(i, j);
    }
  }
  double Length(const float* rows, size_t c) const {
    double sum = 0.0;
    ForEachPixel([&](size_t i, size_t j) { sum += At(rows, c, i, j) * At(rows, c, i, j); });
    return std::max(std::sqrt(sum), epsilon);
  }
  // The attention of query c.
  std::vector<double> Attention(size_t c) const {
    std::vector<double> weights(channels);
    for (size_t k = 0; k < channels; ++k) {
      double sum = 0.0;
      ForEachPixel([&](size_t i, size_t j) { sum += At(queries, c, i, j) * At(keys, k, i, j); });
      weights[k] = temperature * sum / (Length(queries, c) * Length(keys, k));
    }
    const double most = *std::max_element(weights.begin(), weights.end());
    double total = 0.0;
    for (double& weight : weights) total += weight = std::exp(weight - most);
    for (double& weight : weights) weight /= total;
    return weights;
  }
};

// All of y, in float64: window by window. For tests only.
inline AttentionRef LocalTransposedAttentionRef(const LocalTransposedAttentionTensors<float>& t,
                                                const NchwShape& x, size_t outputs,
                                                const LocalTransposedAttentionParams& params) {
  constexpr double kUnit = 0x1p-24;
  const size_t all = x.channels / 3;
  const size_t channels = all / params.heads;
  const size_t plane = x.height * x.width;
  const auto rows = WindowStartsRef(x.height, static_cast<size_t>(params.kernel_shape[0]));
  const auto columns = WindowStartsRef(x.width, static_cast<size_t>(params.kernel_shape[1]));
  const size_t height = std::min(x.height, static_cast<size_t>(params.kernel_shape[0]));
  const size_t width = std::min(x.width, static_cast<size_t>(params.kernel_shape[1]));
  const size_t elements = x.batch * all * plane;
  std::vector<double> z(elements), error(elements), magnitude(elements), windows(elements);
  // Of no channels there is no x.
  for (size_t n = 0; n < (all == 0 ? 0 : x.batch); ++n) {
    for (const size_t top : rows) {
      for (const size_t left : columns) {
        for (size_t head = 0; head < params.heads; ++head) {
          const float* queries =
              t.x + (n * 3 * all + head * channels) * plane + top * x.width + left;
          const AttentionWindowRef window = {queries,
                                             queries + all * plane,
                                             queries + 2 * all * plane,
                                             channels,
                                             plane,
                                             x.width,
                                             height,
                                             width,
                                             double{t.temperature[head]},
                                             double{params.epsilon}};
          const double off = std::abs(window.temperature) * 1202.0 * kUnit + 16.0 * kUnit;
          for (size_t c = 0; c < channels; ++c) {
            const std::vector<double> attention = window.Attention(c);
            window.ForEachPixel([&](size_t i, size_t j) {
              const size_t at =
                  ((n * all + head * channels + c) * x.height + top + i) * x.width + left + j;
              for (size_t k = 0; k < channels; ++k) {
                const double term = attention[k] * window.At(window.values, k, i, j);
                z[at] += term;
                error[at] += off * std::abs(term);
                magnitude[at] += std::abs(term);
              }
              windows[at] += 1.0;
            });
          }
        }
      }
    }
  }
  for (size_t i = 0; i < elements; ++i) {
    z[i] /= windows[i];
    magnitude[i] /= windows[i];
    error[i] =
        error[i] / windows[i] + (2.0 * static_cast<double>(all) + 16.0) * kUnit * magnitude[i];
  }
  if (t.residual == nullptr) return {z, error};
  AttentionRef y;
  for (size_t i = 0; i < x.batch * outputs * plane; ++i) {
    const size_t n = i / plane / outputs;
    const size_t k = i / plane % outputs;
    double sum = double{t.bias[k]};
    double off = kUnit * std::abs(sum);
    for (size_t c = 0; c < all; ++c) {
      const size_t at = (n * all + c) * plane + i % plane;
      const double weight = double{t.weights[k * all + c]};
      sum += weight * z[at];
      off += std::abs(weight) * (error[at] + 2.0 * kUnit * magnitude[at]);
    }
    const double gamma = double{t.gamma[k]};
    const double residual = double{t.residual[i]};
    y.values.push_back(residual + gamma * sum);
    y.errors.push_back(std::abs(gamma) * off +
                       2.0 * kUnit * (std::abs(residual) + std::abs(gamma * sum)));
  }
  return y;
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_TRANSPOSED_ATTENTION_REF_H_
