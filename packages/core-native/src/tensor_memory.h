#ifndef TLSC_CORE_NATIVE_TENSOR_MEMORY_H_
#define TLSC_CORE_NATIVE_TENSOR_MEMORY_H_

#include <onnxruntime_c_api.h>

namespace tlsc {

// Where tensors that no session holds lie. Large ones are the system's again once they are freed:
// glibc's malloc would keep what is smaller than a threshold that it moves up to 32 MB, and let it
// fall to pieces. `memory` describes ordinary memory and must outlive the allocator. Returns null
// where there is no memory.
class TensorMemory : public OrtAllocator {
 public:
  explicit TensorMemory(const OrtMemoryInfo* memory);

 private:
  const OrtMemoryInfo* memory_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_TENSOR_MEMORY_H_
