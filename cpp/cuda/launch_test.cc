#include "cuda/launch.h"

#include <gtest/gtest.h>

namespace tlsc::cuda {
namespace {

// With a card it is described, without one CUDA says what is missing.
TEST(QueryDevice, DescribesTheCardOrSaysWhatIsMissing) {
  Device device = {};
  const Status status = QueryDevice(0, device);
  int count = 0;
  const bool any = cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
  EXPECT_EQ(status.ok(), any);
  if (any) {
    EXPECT_GT(device.limits.multiprocessors, 0u);
    EXPECT_GE(device.limits.shared_bytes, size_t{48} << 10);
  } else {
    EXPECT_EQ(status.code, StatusCode::kInternal);
    EXPECT_EQ(status.message.rfind("CUDA: ", 0), 0u) << status.message;
    EXPECT_GT(status.message.size(), 10u);
  }
}

TEST(ToStatus, TellsLackOfMemoryFromOtherFailures) {
  EXPECT_TRUE(ToStatus(cudaSuccess).ok());
  EXPECT_EQ(ToStatus(cudaErrorMemoryAllocation).code, StatusCode::kOutOfMemory);
  EXPECT_EQ(ToStatus(cudaErrorLaunchFailure).code, StatusCode::kInternal);
}

}  // namespace
}  // namespace tlsc::cuda
