#ifndef TLSC_CUDA_CARD_CARD_H_
#define TLSC_CUDA_CARD_CARD_H_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "base/parallel.h"
#include "cuda/launch.h"

// The CUDA kernels run by a card, behind the functions of kernels/: their tests, linked with these,
// are tests of the card. It is the first of the machine.
namespace tlsc::cuda {

struct FreeOnCard {
  void operator()(void* memory) const { (void)cudaFree(memory); }
};
using CardMemory = std::unique_ptr<void, FreeOnCard>;

// One call of an operator, with memory of the card's until it is over.
class CardCall final : public Launch {
 public:
  explicit CardCall(const Device& device) : Launch(device, nullptr) {}

  Status Allocate(size_t bytes, void*& memory) override;

 private:
  std::vector<CardMemory> allocations_;
};

template <typename T>
struct HostTensor {
  const T* data;
  size_t elements;
};

// Calls run(launch, inputs, y) with copies of the inputs, copies what it makes to y, which has that
// many elements, and waits, because errors of kernels show then.
template <typename T, typename Run>
Status CallOnCard(const std::vector<HostTensor<T>>& inputs, T* y, size_t elements, const Run& run) {
  Device device = {};
  if (Status status = QueryDevice(0, device); !status.ok()) return status;
  CardCall call(device);
  std::vector<const T*> copies;
  for (const auto& [data, count] : inputs) {
    void* copy = nullptr;
    if (Status status = call.Allocate(count * sizeof(T), copy); !status.ok()) return status;
    const cudaError_t copied = cudaMemcpy(copy, data, count * sizeof(T), cudaMemcpyHostToDevice);
    if (Status status = ToStatus(copied); !status.ok()) return status;
    copies.push_back(static_cast<const T*>(copy));
  }
  void* card_y = nullptr;
  if (Status status = call.Allocate(elements * sizeof(T), card_y); !status.ok()) return status;
  if (Status status = run(call, copies, static_cast<T*>(card_y)); !status.ok()) return status;
  if (Status status = ToStatus(cudaDeviceSynchronize()); !status.ok()) return status;
  return ToStatus(cudaMemcpy(y, card_y, elements * sizeof(T), cudaMemcpyDeviceToHost));
}

// The same as the only task of a loop.
template <typename T, typename Run>
Status RunOnCard(ParallelLoop& loop, const std::vector<HostTensor<T>>& inputs, T* y,
                 size_t elements, const Run& run) {
  Status outcome;
  const Status looped =
      loop.Run(1, [&](size_t) { outcome = CallOnCard(inputs, y, elements, run); });
  return looped.ok() ? outcome : looped;
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_CARD_CARD_H_
