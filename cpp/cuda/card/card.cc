#include "cuda/card/card.h"

namespace tlsc::cuda {

Status CardCall::Allocate(size_t bytes, void*& memory) {
  if (Status status = ToStatus(cudaMalloc(&memory, bytes)); !status.ok()) {
    (void)cudaGetLastError();  // which would be the next launch's, too
    return status;
  }
  allocations_.emplace_back(memory);
  return {};
}

}  // namespace tlsc::cuda
