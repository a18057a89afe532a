#ifndef TLSC_CUDA_HOST_DEVICE_H_
#define TLSC_CUDA_HOST_DEVICE_H_

// What runs on the card, and on the host for tests. (constexpr functions of other folders do, too:
// nvcc is told so.)
#ifdef __CUDACC__
#define TLSC_HOST_DEVICE __host__ __device__
#else
#define TLSC_HOST_DEVICE
#endif

#endif  // TLSC_CUDA_HOST_DEVICE_H_
