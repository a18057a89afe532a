#include "run_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

namespace tlsc {
namespace {

constexpr size_t kMiB = 1 << 20;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

// In the place of ONNX Runtime's own allocator, which throws.
struct Refusing : OrtAllocator {
  Refusing() : OrtAllocator{} {
    Alloc = [](OrtAllocator* self, size_t) -> void* {
      ++static_cast<Refusing*>(self)->refused;
      return nullptr;
    };
  }
  int refused = 0;
};

class RunMemoryTest : public ::testing::Test {
 protected:
  char* Allocate(size_t size) { return static_cast<char*>(memory_.Alloc(&memory_, size)); }
  void Free(void* tensor) { memory_.Free(&memory_, tensor); }

  // Filled with a value of its own, so that memory that is handed out twice shows.
  char* Filled(size_t size, char value) {
    char* const tensor = Allocate(size);
    std::memset(tensor, value, size);
    return tensor;
  }

  static bool Holds(const char* tensor, size_t size, char value) {
    return tensor[0] == value && std::memcmp(tensor, tensor + 1, size - 1) == 0;
  }

  Refusing refusing_;
  TensorMemory memory_{nullptr, &refusing_};
};

TEST_F(RunMemoryTest, IsAlignedForVectors) {
  for (const size_t size : {size_t{1}, size_t{100}, kMiB, 3 * kMiB + 5, 20 * kMiB}) {
    char* const tensor = Filled(size, 1);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor) % 64, 0u) << size;
    Free(tensor);
  }
  Free(nullptr);
}

TEST_F(RunMemoryTest, CountsWhatTensorsTakeAtOnce) {
  RunMemory run(kNoLimit, {});
  const RunMemory::Current current(run);
  char* const first = Allocate(10 * kMiB);
  Free(first);
  char* const second = Allocate(5 * kMiB);
  char* const third = Allocate(7 * kMiB);
  EXPECT_GE(run.peak(), 12 * kMiB);
  EXPECT_LE(run.peak(), 18 * kMiB);  // whole pages
  Free(second);
  Free(third);
}

TEST_F(RunMemoryTest, HandsOutNothingTwiceWhateverTheSizes) {
  RunMemory run(kNoLimit, {});
  const RunMemory::Current current(run);
  struct Tensor {
    char* data;
    size_t size;
    char value;
  };
  std::vector<Tensor> tensors;
  uint32_t state = 1;
  const auto random = [&](uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int step = 0; step < 400; ++step) {
    if (tensors.size() > 6 || (!tensors.empty() && random(3) == 0)) {
      const size_t at = random(static_cast<uint32_t>(tensors.size()));
      EXPECT_TRUE(Holds(tensors[at].data, tensors[at].size, tensors[at].value)) << step;
      Free(tensors[at].data);
      tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(at));
      continue;
    }
    const size_t size = (size_t{1} << (10 + random(14))) + random(5000);
    const char value = static_cast<char>(step);
    tensors.push_back({Filled(size, value), size, value});
  }
  for (const Tensor& tensor : tensors) {
    EXPECT_TRUE(Holds(tensor.data, tensor.size, tensor.value));
    Free(tensor.data);
  }
}

TEST_F(RunMemoryTest, AsksForAnExceptionBeyondTheLimit) {
  RunMemory run(10 * kMiB, {});
  const RunMemory::Current current(run);
  char* const first = Allocate(6 * kMiB);
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(Allocate(6 * kMiB), nullptr);
  EXPECT_EQ(refusing_.refused, 1);
  Free(first);
  char* const second = Allocate(8 * kMiB);
  EXPECT_NE(second, nullptr);
  Free(second);
}

TEST_F(RunMemoryTest, AsksForAnExceptionWhereThereIsNoMemory) {
  EXPECT_EQ(Allocate(kNoLimit), nullptr);
  EXPECT_EQ(Allocate(kNoLimit / 2 - 100), nullptr);
  EXPECT_EQ(refusing_.refused, 2);
}

TEST_F(RunMemoryTest, OutputsOutliveTheRunAndAreKnown) {
  char* output = nullptr;
  char* small = nullptr;
  {
    RunMemory run(kNoLimit, {});
    {
      const RunMemory::Current current(run);
      output = Filled(4 * kMiB, 7);
      small = Filled(100, 3);
    }
    EXPECT_TRUE(run.Owns(output));
    EXPECT_FALSE(run.Owns(output + 64));
    EXPECT_FALSE(run.Owns(small));  // malloc's
    const RunMemory other(kNoLimit, {});
    EXPECT_FALSE(other.Owns(output));
  }
  EXPECT_TRUE(Holds(output, 4 * kMiB, 7));
  std::thread([&] { Free(output); }).join();
  Free(small);
}

TEST_F(RunMemoryTest, ARunGoesOnWithWhatTheLastOneLeft) {
  SpareBlocks spare;
  {
    RunMemory run(kNoLimit, {});
    const RunMemory::Current current(run);
    Free(Filled(16 * kMiB, 1));
    spare = run.TakeSpare();
  }
  EXPECT_GE(spare.size, 16 * kMiB);
  RunMemory run(kNoLimit, std::move(spare));
  const RunMemory::Current current(run);
  char* const whole = Allocate(16 * kMiB);
#ifdef __linux__
  EXPECT_EQ(whole[kMiB], 1);  // its page
#endif
  Free(whole);
}

TEST_F(RunMemoryTest, KeepsNoMoreThanItsTensorsTookAtOnce) {
  RunMemory run(kNoLimit, {});
  {
    const RunMemory::Current current(run);
    for (const size_t size : {9 * kMiB, 30 * kMiB, 12 * kMiB, 29 * kMiB, 5 * kMiB}) {
      Free(Allocate(size));
    }
  }
  EXPECT_LE(run.TakeSpare().size, 32 * kMiB);
}

TEST_F(RunMemoryTest, KeepsWhatIsLargeWhateverIsSmall) {
  RunMemory run(kNoLimit, {});
  {
    const RunMemory::Current current(run);
    Free(Allocate(16 * kMiB));
    char* const small = Allocate(1000);
    Free(Allocate(12 * kMiB));
    Free(Allocate(4 * kMiB));
    Free(small);
  }
  EXPECT_EQ(run.TakeSpare().size, 16 * kMiB);
}

// What malloc would be asked for were pages.
TEST_F(RunMemoryTest, CountsWhatIsJustBelowAHugePageAsOne) {
  RunMemory run(kNoLimit, {});
  {
    const RunMemory::Current current(run);
    char* const tensor = Filled(2 * kMiB - 10, 1);
    EXPECT_TRUE(Holds(tensor, 2 * kMiB - 10, 1));
    Free(tensor);
  }
  EXPECT_GE(run.peak(), 2 * kMiB - 10);
  EXPECT_LE(run.peak(), 2 * kMiB);
}

TEST_F(RunMemoryTest, CutsNoHugePage) {
  RunMemory run(kNoLimit, {});
  const RunMemory::Current current(run);
  for (const size_t size : {4 * kMiB, 5 * kMiB + 100, 20 * kMiB}) {
    char* const tensor = Allocate(size);
#ifdef __linux__
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor) % (2 * kMiB), 0u) << size;
#endif
    Free(tensor);
  }
  EXPECT_EQ(run.peak() % (2 * kMiB), 0u);
}

}  // namespace
}  // namespace tlsc
