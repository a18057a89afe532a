#ifndef TLSC_CORE_NATIVE_CUDA_DRIVER_H_
#define TLSC_CORE_NATIVE_CUDA_DRIVER_H_

#include <cstddef>
#include <string>
#include <vector>

namespace tlsc {

struct CudaDevice {
  std::string name;
  size_t memory;                   // bytes
  std::string compute_capability;  // "9.0"
};

// NVIDIA's driver, through the library that comes with it: nothing of CUDA is linked or needs to be
// installed. Its functions throw kProviderUnavailable, in the system's or the driver's words.
namespace cuda_driver {

// The newest CUDA that the driver runs: "13.0".
std::string Version();

// In the order of CUDA's device ids.
std::vector<CudaDevice> Devices();

// Makes a card the calling thread's while it lives, in the context that ONNX Runtime works in, too.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device);
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;
  ~CurrentDevice();

 private:
  void Release();

  int handle_ = 0;
};

// Waits for the copy.
void CopyToHost(int device, const void* from, void* to, size_t bytes);

}  // namespace cuda_driver

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_CUDA_DRIVER_H_
