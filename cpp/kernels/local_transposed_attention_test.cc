#include "kernels/local_transposed_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/local_transposed_attention_ref.h"
#include "kernels/local_windows.h"
#include "kernels/test_support.h"
#include "kernels/window_cells.h"

namespace tlsc {
namespace {

template <typename T>
struct Both {
  explicit Both(const std::vector<float>& values)
      : elements(RoundTo<T>(values)), floats(ToFloats(elements)) {}

  std::vector<T> elements;
  std::vector<float> floats;
};

struct Case {
  NchwShape shape;  // of x
  size_t heads;
  KernelShape kernel_shape;
  size_t outputs = 0;  // of the convolution; 0 for none
};

// What a kernel is run on, as T and as floats.
template <typename T>
class Inputs {
 public:
  explicit Inputs(const Case& c)
      : outputs(c.outputs == 0 ? c.shape.channels / 3 : c.outputs),
        y_elements(*ElementCount({c.shape.batch, outputs, c.shape.height, c.shape.width})),
        x(RandomTensor(*ElementCount(c.shape), -1.0f, 1.0f)),
        temperature(RandomTensor(c.heads, 0.5f, 4.0f, 2)),
        weights(RandomTensor(outputs * c.shape.channels / 3, -1.0f, 1.0f, 3)),
        bias(RandomTensor(outputs, -1.0f, 1.0f, 4)),
        gamma(RandomTensor(outputs, -1.0f, 1.0f, 5)),
        residual(RandomTensor(y_elements, -1.0f, 1.0f, 6)),
        convolves_(c.outputs != 0) {}

  LocalTransposedAttentionTensors<T> tensors(const T* shifted) const {
    return All<T>(shifted, [](const Both<T>& both) { return both.elements.data(); });
  }
  LocalTransposedAttentionTensors<float> floats() const {
    return All<float>(x.floats.data(), [](const Both<T>& both) { return both.floats.data(); });
  }

  const size_t outputs;
  const size_t y_elements;
  const Both<T> x, temperature, weights, bias, gamma, residual;

 private:
  template <typename U, typename Data>
  LocalTransposedAttentionTensors<U> All(const U* first, const Data& data) const {
    if (!convolves_) return {first, data(temperature), nullptr, nullptr, nullptr, nullptr};
    return {first, data(temperature), data(weights), data(bias), data(gamma), data(residual)};
  }

  bool convolves_;
};

template <typename T>
void ExpectMatches(const Case& c, size_t offset) {
  const Inputs<T> inputs(c);
  const ShiftedInput<T> x(inputs.x.elements, offset);
  GuardedOutput<T> y(offset + inputs.y_elements);
  SerialLoop loop;
  const LocalTransposedAttentionParams params = {c.kernel_shape, c.heads};
  ASSERT_TRUE(Succeeded(LocalTransposedAttention(inputs.tensors(x.data()), c.shape, inputs.outputs,
                                                 params, loop, y.data() + offset)));
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  const AttentionRef exact =
      LocalTransposedAttentionRef(inputs.floats(), c.shape, inputs.outputs, params);
  for (size_t i = 0; i < inputs.y_elements; ++i) {
    ASSERT_TRUE(
        Agrees(y[offset + i], exact.values[i], exact.errors[i] + RoundingError<T>(exact.values[i])))
        << y[offset + i] << " for " << exact.values[i] << " at " << i;
  }
}

void ExpectMatchesReference(const NchwShape& shape, size_t heads, const KernelShape& kernel_shape,
                            size_t offset = 0) {
  for (const size_t outputs : std::vector<size_t>{0, 5}) {
    SCOPED_TRACE(testing::Message()
                 << shape.channels << " channels, " << shape.height << " x " << shape.width << ", "
                 << heads << " heads, windows " << kernel_shape[0] << " x " << kernel_shape[1]
                 << ", outputs " << outputs);
    ExpectMatches<float>({shape, heads, kernel_shape, outputs}, offset);
    ExpectMatches<Float16>({shape, heads, kernel_shape, outputs}, offset);
  }
}

class LocalTransposedAttention : public testing::TestWithParam<WindowCase> {};

TEST_P(LocalTransposedAttention, EveryWindowMatchesReference) {
  const auto& [height, width, kernel_shape] = GetParam();
  ExpectMatchesReference({1, 12, height, width}, 2, kernel_shape, height % 4);
}

INSTANTIATE_TEST_SUITE_P(Windows, LocalTransposedAttention, testing::ValuesIn(WindowCases()),
                         WindowCaseName);

// Around what tiles and turned channels have.
TEST(LocalTransposedAttention, EveryNumberOfChannelsMatchesReference) {
  for (const size_t channels : std::vector<size_t>{1, 2, 3, 4, 5, 7, 12, 16, 17, 33, 70}) {
    ExpectMatchesReference({1, 3 * channels, 7, 9}, 1, {5, 5});
  }
}

TEST(LocalTransposedAttention, EveryNumberOfHeadsMatchesReference) {
  for (size_t heads = 1; heads <= 5; ++heads)
    ExpectMatchesReference({1, 9 * heads, 5, 6}, heads, {9, 9});
}

TEST(LocalTransposedAttention, BatchesMatchReference) {
  ExpectMatchesReference({3, 18, 9, 11}, 2, {4, 7}, 3);
}

// Of many parts and blocks.
TEST(LocalTransposedAttention, LargePlanesMatchReference) {
  ExpectMatchesReference({1, 6, 190, 210}, 1, {150, 160});
  ExpectMatchesReference({1, 6, 190, 210}, 1, {500, 500}, 1);
}

// Sums of many that are alike, where float32 would stand still.
TEST(LocalTransposedAttention, LongSumsMatchReference) {
  for (const NchwShape& shape : {NchwShape{1, 6, 300, 310}, {1, 6, 1, 90000}, {1, 6, 90000, 1}}) {
    const size_t plane = shape.height * shape.width;
    std::vector<float> x(6 * plane);
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t channel = i / plane;
      x[i] = channel == 0 || i % 2 == 0 ? 0.1f + 0.3f * static_cast<float>(channel) : -0.7f;
    }
    const std::vector<float> temperature = {2.0f};
    const LocalTransposedAttentionTensors<float> tensors = {
        x.data(), temperature.data(), nullptr, nullptr, nullptr, nullptr};
    const LocalTransposedAttentionParams params = {{100000, 100000}, 1};
    GuardedOutput y(2 * plane);
    SerialLoop loop;
    ASSERT_TRUE(
        Succeeded(tlsc::LocalTransposedAttention(tensors, shape, 2, params, loop, y.data())));
    const AttentionRef exact = LocalTransposedAttentionRef(tensors, shape, 2, params);
    for (size_t i = 0; i < 2 * plane; i += 97) {
      ASSERT_TRUE(Agrees(y[i], exact.values[i], exact.errors[i]))
          << y[i] << " for " << exact.values[i] << " at " << i;
    }
  }
}

// What windows are cut into, attend in between, and are put together again, piece by piece.
TEST(LocalTransposedAttention, PiecesAreWhatTheirWindowsMakeOfThem) {
  const KernelShape kernel_shape = {8, 6};
  const size_t all = 4;
  for (const auto& [begin, length] : std::vector<Segment>{{0, 13}, {3, 12}, {9, 8}, {11, 14}}) {
    const NchwShape shape = {1, 3 * all, length, length + 3};
    const PlanePlace place = {{begin, 30}, {begin + 1, 40}};
    const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
    const std::vector<float> temperature = {1.5f, 3.0f};
    SerialLoop loop;
    const NchwShape window_shape = LocalWindowPartitionShape(shape, kernel_shape, place);
    std::vector<float> windows(*ElementCount(window_shape));
    ASSERT_TRUE(Succeeded(
        LocalWindowPartition(x.data(), shape, kernel_shape, loop, windows.data(), place)));
    const AttentionRef attended = LocalTransposedAttentionRef(
        {windows.data(), temperature.data(), nullptr, nullptr, nullptr, nullptr}, window_shape, all,
        {{100, 100}, 2});
    const std::vector<float> values(attended.values.begin(), attended.values.end());
    NchwShape y_shape = shape;
    y_shape.channels = all;
    NchwShape p_shape = window_shape;
    p_shape.channels = all;
    std::vector<float> expected(*ElementCount(y_shape));
    ASSERT_TRUE(
        Succeeded(LocalWindowMerge(values.data(), p_shape, y_shape, loop, expected.data(), place)));
    GuardedOutput y(expected.size());
    ASSERT_TRUE(Succeeded(tlsc::LocalTransposedAttention<float>(
        {x.data(), temperature.data(), nullptr, nullptr, nullptr, nullptr}, shape, all,
        {kernel_shape, 2}, loop, y.data(), place)));
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(y[i], expected[i], 2e-5) << i << " from " << begin;
    }
  }
}

TEST(LocalTransposedAttention, MayWriteOverItsResidual) {
  const Case c = {{2, 12, 9, 8}, 2, {5, 5}, 6};
  const Inputs<float> inputs(c);
  const auto run = [&](const float* residual, float* y) {
    SerialLoop loop;
    LocalTransposedAttentionTensors<float> tensors = inputs.tensors(inputs.x.elements.data());
    tensors.residual = residual;
    ASSERT_TRUE(
        Succeeded(tlsc::LocalTransposedAttention(tensors, c.shape, 6, {{5, 5}, 2}, loop, y)));
  };
  std::vector<float> over = inputs.residual.elements;
  std::vector<float> expected(over.size());
  run(over.data(), expected.data());
  run(over.data(), over.data());
  EXPECT_TRUE(BitIdentical(over, expected));
}

// Queries and keys spoil the windows that hold them, values their pixel.
TEST(LocalTransposedAttention, NonFiniteValuesStayInTheirWindows) {
  const NchwShape shape = {1, 6, 10, 10};  // windows of 6 begin at 0 and at 4
  const std::vector<float> temperature = {1.0f};
  const auto spoilt = [&](size_t channel, size_t row, size_t column, float value) {
    std::vector<float> x = RandomTensor(600, 0.5f, 1.0f);
    x[channel * 100 + row * 10 + column] = value;
    GuardedOutput y(200);
    SerialLoop loop;
    EXPECT_TRUE(Succeeded(tlsc::LocalTransposedAttention<float>(
        {x.data(), temperature.data(), nullptr, nullptr, nullptr, nullptr}, shape, 2, {{6, 6}, 1},
        loop, y.data())));
    std::vector<bool> pixels(100, false);
    for (size_t i = 0; i < 200; ++i) pixels[i % 100] = pixels[i % 100] || !std::isfinite(y[i]);
    return pixels;
  };
  for (const float value : {kNaN, kInfinity, -kInfinity}) {
    for (const size_t channel : std::vector<size_t>{0, 3}) {
      const std::vector<bool> pixels = spoilt(channel, 1, 2, value);
      for (size_t i = 0; i < 100; ++i) {
        ASSERT_EQ(pixels[i], i / 10 < 6 && i % 10 < 6) << i << " for channel " << channel;
      }
    }
    const std::vector<bool> pixels = spoilt(4, 5, 9, value);
    for (size_t i = 0; i < 100; ++i) ASSERT_EQ(pixels[i], i == 59) << i;
  }
}

TEST(LocalTransposedAttention, QueriesOfNoLengthAttendToAllAlike) {
  const NchwShape shape = {1, 6, 2, 2};
  std::vector<float> x(24, 0.0f);
  for (size_t i = 16; i < 24; ++i) x[i] = static_cast<float>(i);
  const std::vector<float> temperature = {1.0f};
  GuardedOutput y(8);
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(tlsc::LocalTransposedAttention<float>(
      {x.data(), temperature.data(), nullptr, nullptr, nullptr, nullptr}, shape, 2, {{2, 2}, 1},
      loop, y.data())));
  for (size_t i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(y[i], 18.0f + static_cast<float>(i % 4));
}

TEST(LocalTransposedAttention, NoElementsNoWork) {
  SerialLoop loop;
  const float one = 1.0f;
  for (const NchwShape& shape :
       {NchwShape{0, 6, 3, 3}, NchwShape{1, 0, 3, 3}, NchwShape{1, 6, 0, 3}}) {
    EXPECT_TRUE(Succeeded(tlsc::LocalTransposedAttention<float>(
        {nullptr, &one, nullptr, nullptr, nullptr, nullptr}, shape, shape.channels / 3, {{2, 2}, 1},
        loop, nullptr)));
  }
}

TEST(LocalTransposedAttention, OfNoChannelsTheBiasIsLeft) {
  const std::vector<float> parameters = {1.0f, 2.0f, 3.0f};
  const std::vector<float> residual(3 * 4096, 10.0f);
  GuardedOutput y(3 * 4096);
  SerialLoop loop;
  const float* p = parameters.data();
  ASSERT_TRUE(Succeeded(
      tlsc::LocalTransposedAttention<float>({nullptr, p, nullptr, p, p, residual.data()},
                                            {1, 0, 64, 64}, 3, {{32, 32}, 1}, loop, y.data())));
  for (size_t i = 0; i < 3 * 4096; ++i) ASSERT_EQ(y[i], 10.0f + p[i / 4096] * p[i / 4096]);
}

// Of which the attention is what it is, however few the pixels.
TEST(LocalTransposedAttention, TakesOneWindowOfFewPixels) {
  constexpr size_t kChannels = 1600;
  const std::vector<float> x(3 * kChannels, 1.0f);
  std::vector<float> y(kChannels);
  SerialLoop loop;
  ASSERT_TRUE(Succeeded(tlsc::LocalTransposedAttention<float>(
      {x.data(), x.data(), nullptr, nullptr, nullptr, nullptr}, {1, 3 * kChannels, 1, 1}, kChannels,
      {{1, 1}, 1}, loop, y.data())));
  for (const float value : y) ASSERT_NEAR(value, 1.0f, 1e-4f);
}

TEST(LocalTransposedAttention, LoopOrderDoesNotMatter) {
  for (const size_t outputs : {size_t{0}, size_t{7}}) {
    const Case c = {{2, 24, 60, 50}, 2, {40, 30}, outputs};
    const Inputs<float> inputs(c);
    const auto run = [&](ParallelLoop& loop) {
      GuardedOutput y(inputs.y_elements);
      EXPECT_TRUE(Succeeded(tlsc::LocalTransposedAttention(
          inputs.tensors(inputs.x.elements.data()), c.shape, inputs.outputs,
          {c.kernel_shape, c.heads}, loop, y.data())));
      return y.values();
    };
    SerialLoop serial;
    ReverseLoop reverse;
    ThreadedLoop threaded;
    const std::vector<float> expected = run(serial);
    EXPECT_TRUE(BitIdentical(run(reverse), expected));
    EXPECT_TRUE(BitIdentical(run(threaded), expected));
  }
}

TEST(LocalTransposedAttention, ReportsWhatTheLoopReports) {
  const std::vector<float> x(54, 1.0f);
  std::vector<float> y(18);
  FailingLoop loop;
  const Status status = tlsc::LocalTransposedAttention<float>(
      {x.data(), x.data(), nullptr, nullptr, nullptr, nullptr}, {1, 6, 3, 3}, 2, {{2, 2}, 1}, loop,
      y.data());
  EXPECT_EQ(status.code, StatusCode::kInternal);
  EXPECT_EQ(status.message, "pool is gone");
}

TEST(LocalTransposedAttention, RefusesBadArguments) {
  const std::vector<float> x(54, 1.0f);
  const float* some = x.data();
  using Tensors = LocalTransposedAttentionTensors<float>;
  const Tensors all = {some, some, some, some, some, some};
  GuardedOutput y(18);
  SerialLoop loop;
  const NchwShape shape = {1, 6, 3, 3};
  const LocalTransposedAttentionParams good = {{2, 2}, 1};
  const auto expect_refused = [&](const Tensors& tensors, const NchwShape& x_shape,
                                  const LocalTransposedAttentionParams& params,
                                  const std::string& message, const PlanePlace& place = {}) {
    const Status status =
        tlsc::LocalTransposedAttention(tensors, x_shape, 2, params, loop, y.data(), place);
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
    EXPECT_TRUE(y.Untouched());
  };
  expect_refused(all, shape, {{2, 2}, 1, kNaN},
                 "epsilon: expected a finite value of at least 0, received nan");
  expect_refused(all, shape, {{2, 2}, 0},
                 "temperature: expected one element or more, received none");
  expect_refused(all, shape, {{2, 2}, 3},
                 "X: expected three times a multiple of 3 channels, received 6");
  expect_refused(all, {1, 5, 3, 3}, good,
                 "X: expected three times a multiple of 1 channels, received 5");
  expect_refused(all, shape, {{0, 2}, 1},
                 "kernel_shape: expected a height and a width of at least 1, received [0, 2]");
  expect_refused(all, {SIZE_MAX / 2, 6, 3, 3}, good,
                 "X: expected a shape that fits in memory, received [" +
                     std::to_string(SIZE_MAX / 2) + ", 6, 3, 3]");
  expect_refused({some, some, nullptr, nullptr, nullptr, nullptr}, {1, 9, 3, 3}, good,
                 "Y: expected 3 channels, received 2");
  expect_refused(all, {1, 300, 300, 300}, {{1, 1}, 1},
                 "kernel_shape: expected windows that are not smaller than a head has channels, "
                 "100, received [1, 1]");
  expect_refused(all, shape, good,
                 "place: expected planes within [2, 4], received [3, 3] at [0, 0]",
                 {{0, 2}, {0, 4}});
  const auto without = [&](const float* Tensors::*member) {
    Tensors tensors = all;
    tensors.*member = nullptr;
    return tensors;
  };
  expect_refused(without(&Tensors::x), shape, good,
                 "X: expected a pointer to 54 elements, received null");
  expect_refused(without(&Tensors::temperature), shape, good,
                 "temperature: expected a pointer to 1 elements, received null");
  expect_refused(without(&Tensors::bias), shape, good,
                 "B: expected a pointer to 2 elements, received null");
  expect_refused(without(&Tensors::gamma), shape, good,
                 "gamma: expected a pointer to 2 elements, received null");
  expect_refused(without(&Tensors::weights), shape, good,
                 "W: expected a pointer to 4 elements, received null");
}

}  // namespace
}  // namespace tlsc
