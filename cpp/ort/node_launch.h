#ifndef TLSC_ORT_NODE_LAUNCH_H_
#define TLSC_ORT_NODE_LAUNCH_H_

#include "cuda/launch.h"
#include "ort/kernel_context.h"

namespace tlsc::ort {

// Launches on the stream that ONNX Runtime hands over for a node, with memory of its allocator,
// which it takes back.
class NodeLaunch final : public cuda::Launch {
 public:
  explicit NodeLaunch(const KernelContext& context);

  Status Allocate(size_t bytes, void*& memory) override;

 private:
  NodeLaunch(const KernelContext& context, int index);

  const KernelContext& context_;
  int index_;  // of the card
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_NODE_LAUNCH_H_
