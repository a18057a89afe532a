#ifndef TLSC_KERNELS_SCRATCH_H_
#define TLSC_KERNELS_SCRATCH_H_

// The rows that the vector bodies work in, and what they are handed besides; the same for every
// target. Each pointer is to a row of the plane's width.
namespace tlsc {

struct PoolScratch {
  double* columns;
  double* infinities;
  double* nans;
  float* row;
};

struct NormScratch {
  double* columns;
  double* squares;
  double* infinities;
  double* nans;
  double* mean;   // from the pivot
  float* factor;  // scale / sqrt(variance + epsilon)
  float* row;
};

// What one plane is normalised with, besides its own statistics.
struct PlaneNorm {
  double pivot;  // taken off every value before summing
  double epsilon;
  float scale;
  float bias;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_SCRATCH_H_
