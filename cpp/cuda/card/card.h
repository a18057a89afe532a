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

// One call of an operator with tensors of the host's.
class CardCall final : public Launch {
 public:
  explicit CardCall(const Device& device) : Launch(device, nullptr) {}

  Status Allocate(size_t bytes, void*& memory) override;

  // A copy on the card. Null, like any tensor without elements, where data is.
  template <typename T>
  Status CopyIn(const T* data, size_t elements, const T*& copy) {
    void* memory = nullptr;
    Status status = data == nullptr ? Status() : Allocate(elements * sizeof(T), memory);
    if (status.ok() && memory != nullptr) {
      status = ToStatus(cudaMemcpy(memory, data, elements * sizeof(T), cudaMemcpyHostToDevice));
    }
    copy = static_cast<const T*>(memory);
    return status;
  }

  // Waits for the kernels, whose errors show then.
  template <typename T>
  Status CopyOut(const T* on_card, size_t elements, T* data) {
    if (Status status = ToStatus(cudaDeviceSynchronize()); !status.ok()) return status;
    if (elements == 0) return {};
    return ToStatus(cudaMemcpy(data, on_card, elements * sizeof(T), cudaMemcpyDeviceToHost));
  }

 private:
  std::vector<CardMemory> allocations_;
};

// Calls body(call) as the only task of the loop.
template <typename Body>
Status RunOnCard(ParallelLoop& loop, const Body& body) {
  Device device = {};
  if (Status status = QueryDevice(0, device); !status.ok()) return status;
  Status outcome;
  const Status looped = loop.Run(1, [&](size_t) {
    CardCall call(device);
    outcome = body(call);
  });
  return looped.ok() ? outcome : looped;
}

}  // namespace tlsc::cuda

#endif  // TLSC_CUDA_CARD_CARD_H_
