#ifndef TLSC_KERNELS_BENCH_CASES_H_
#define TLSC_KERNELS_BENCH_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/nchw_shape.h"

namespace tlsc {

struct BenchCase {
  NchwShape shape;
  int64_t window = 0;  // 0: the operator has none
};

// The planes of restoration networks on a 720p and on a 4K photo, one small one, and a batch.
inline const std::vector<BenchCase>& BenchCases() {
  static const std::vector<BenchCase> cases = {
      {{1, 64, 720, 1280}, 384},  {{1, 256, 180, 320}, 96},  {{1, 512, 90, 160}, 48},
      {{1, 16, 2160, 3840}, 384}, {{1, 1, 2160, 3840}, 384}, {{8, 32, 128, 128}, 96},
      {{1, 3, 64, 64}, 64},
  };
  return cases;
}

// What NAFNet and Restormer of usual widths hold between their convolutions, of 720p photos and of
// patches, the sides of which are powers of two.
inline const std::vector<BenchCase>& PixelwiseCases() {
  static const std::vector<BenchCase> cases = {
      {{1, 32, 720, 1280}}, {{1, 64, 360, 640}}, {{1, 512, 45, 80}},
      {{1, 48, 512, 512}},  {{1, 64, 256, 256}}, {{1, 512, 16, 16}},
  };
  return cases;
}

// "1x64x720x1280"
inline std::string ShapeName(const NchwShape& s) {
  return std::to_string(s.batch) + "x" + std::to_string(s.channels) + "x" +
         std::to_string(s.height) + "x" + std::to_string(s.width);
}

}  // namespace tlsc

#endif  // TLSC_KERNELS_BENCH_CASES_H_
