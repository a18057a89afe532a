#ifndef TLSC_FUZZ_FUZZ_INPUT_H_
#define TLSC_FUZZ_FUZZ_INPUT_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <optional>
#include <vector>

#include "base/nchw_shape.h"
#include "kernels/test_tensors.h"
#include "kernels/window.h"

namespace tlsc {

// Says what is wrong and ends the process, which is how a fuzz target reports a finding.
inline void Expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz target: expected %s\n", what);
  std::abort();
}

// Bytes read as sizes, attributes and values. Most choices are ordinary ones, so that most inputs
// get past the checks of arguments; beyond the end all bytes are 0.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}

  uint8_t Byte() { return data_ == end_ ? uint8_t{0} : *data_++; }
  // 0 … count - 1, at most 256 of them.
  size_t Below(size_t count) { return Byte() % count; }
  bool OneIn(size_t count) { return Below(count) == count - 1; }

  template <typename T>
  T Pick(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }

  template <typename T>
  T Raw() {
    T value{};
    const size_t left = std::min(sizeof(T), static_cast<size_t>(end_ - data_));
    if (left > 0) std::memcpy(&value, data_, left);
    data_ += left;
    return value;
  }

  // An attribute or a dimension of any size.
  int64_t AnyInteger() {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
    switch (Below(4)) {
      case 0:
        return static_cast<int8_t>(Byte());
      case 1:
        return Pick<int64_t>({0, -1, kMost, kLeast, kMost - 1, int64_t{1} << 32, int64_t{1} << 62,
                              int64_t{1} << 61, (int64_t{1} << 60) - 1, int64_t{1} << 31});
      case 2:
        return int64_t{1} << Below(63);
      default:
        return Raw<int64_t>();
    }
  }

  float AnyFloat() {
    using Limits = std::numeric_limits<float>;
    switch (Below(4)) {
      case 0:
        return static_cast<float>(static_cast<int8_t>(Byte())) / 16.0f;
      case 1:
        return Pick({0.0f, -0.0f, 1.0f, kInfinity, -kInfinity, kNaN, Limits::denorm_min(),
                     Limits::min(), -Limits::min(), Limits::max(), Limits::lowest(), 65504.0f,
                     -65504.0f, 65520.0f, 0x1p-24f, 0x1p-14f});
      case 2: {
        const int exponent = static_cast<int8_t>(Byte());
        return std::ldexp(static_cast<float>(static_cast<int8_t>(Byte())), exponent);
      }
      default:
        return Raw<float>();
    }
  }

  // Mostly small, so that many inputs are run in a second.
  NchwShape Shape() {
    const size_t batch = Pick<size_t>({1, 1, 1, 2, 1, 0});
    const size_t channels = OneIn(16) ? 12 * Below(2) : 1 + Below(3);
    const size_t kind = Below(32);
    if (kind == 31) return {batch, channels, 64 + Below(128), 1 + Below(3)};  // cut into bands
    if (kind >= 28) return {batch, channels, Below(24), Below(70)};
    return {batch, channels, 1 + Below(6), 1 + Below(19)};
  }

  int64_t WindowSide() {
    if (OneIn(32)) return AnyInteger();
    return OneIn(8) ? Byte() : int64_t{1} + static_cast<int64_t>(Below(7));
  }
  // In this order, whatever the compiler makes of arguments.
  KernelShape Window() {
    const int64_t height = WindowSide();
    return {height, WindowSide()};
  }

  std::optional<MaxStride> Stride() {
    if (!OneIn(3)) return std::nullopt;
    if (OneIn(16)) {
      const int64_t down = AnyInteger();
      return MaxStride{down, AnyInteger()};
    }
    const auto down = static_cast<int64_t>(1 + Below(6));
    return MaxStride{down, static_cast<int64_t>(1 + Below(6))};
  }

  // Noise around a value, with a few values of any kind among it.
  std::vector<float> Values(size_t count) {
    const float base = AnyFloat();
    const float spread = AnyFloat();
    uint32_t bits = Raw<uint16_t>();
    std::vector<float> values(count);
    for (float& value : values) {
      bits = bits * 1664525 + 1013904223;
      value = base + spread * (static_cast<float>(bits >> 8) * 0x1p-23f - 1.0f);
    }
    for (size_t patches = Below(6); patches > 0 && count > 0; --patches) {
      const size_t at = Raw<uint16_t>() % count;
      values[at] = AnyFloat();
    }
    return values;
  }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

// Values rounded to the element type of a tensor, as the kernel gets them and as floats.
template <typename T>
struct FuzzTensor {
  FuzzTensor(const std::vector<float>& any, size_t offset)
      : elements(RoundTo<T>(any)), floats(ToFloats(elements)), input(elements, offset) {}

  const T* data() const { return input.data(); }

  std::vector<T> elements;
  std::vector<float> floats;
  ShiftedInput<T> input;  // begins anywhere
};

// What `kernel(loop, y)` writes to an output of `elements`. Expects that it takes valid arguments
// and refuses others, leaving the output alone.
template <typename T, typename Kernel>
std::vector<float> RunKernel(FuzzInput& input, bool valid, size_t elements, const Kernel& kernel) {
  const size_t offset = input.Below(16);
  GuardedOutput<T> y(offset + elements);
  SerialLoop serial;
  ReverseLoop reverse;
  ParallelLoop* loop = &serial;
  if (input.OneIn(2)) loop = &reverse;
  const Status status = kernel(*loop, y.data() + offset);
  if (!valid) {
    Expect(status.code == StatusCode::kInvalidArgument, "bad arguments to be refused");
    Expect(y.Untouched(), "an output that a refused call leaves alone");
    return {};
  }
  Expect(status.ok(), status.ok() ? "" : status.message.c_str());
  Expect(y.GuardsIntact(), "no writes beyond the output");
  Expect(y.Untouched(offset), "no writes in front of the output");
  const std::vector<float> values = ToFloats(y.values());
  return {values.begin() + static_cast<std::ptrdiff_t>(offset), values.end()};
}

// Calls check(index) for outputs all over the tensor: not for each of many, so that references,
// which are slow, leave time for more inputs.
template <typename Check>
void ForSomeOutputs(FuzzInput& input, size_t count, const Check& check) {
  const size_t step = count / 32 + 1;
  for (size_t index = input.Byte() % step; index < count; index += step) check(index);
}

// Whether a window is one that operators take.
inline bool IsWindow(const KernelShape& kernel_shape) {
  return kernel_shape[0] >= 1 && kernel_shape[1] >= 1;
}

}  // namespace tlsc

#endif  // TLSC_FUZZ_FUZZ_INPUT_H_
