#ifndef TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_PLANE_H_
#define TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_PLANE_H_

// What the vector body of LocalInstanceNormalization is handed; the same for every target.
namespace tlsc {

// What one plane is normalised with, besides its own statistics.
struct PlaneNorm {
  double pivot;  // taken off every value before summing
  double epsilon;
  float scale;
  float bias;
};

// A row of each, of the plane's width.
struct NormScratch {
  double* columns;
  double* squares;
  double* mean;   // from the pivot
  float* factor;  // scale / sqrt(variance + epsilon)
  float* row;
};

}  // namespace tlsc

#endif  // TLSC_KERNELS_LOCAL_INSTANCE_NORMALIZATION_PLANE_H_
