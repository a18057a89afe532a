#include "kernels/pointwise_conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/pointwise_conv_ref.h"
#include "kernels/test_support.h"

namespace tlsc {
namespace {

// Tensors of T, and the same as floats.
template <typename T>
struct Both {
  explicit Both(const std::vector<float>& values)
      : elements(RoundTo<T>(values)), floats(ToFloats(elements)) {}

  std::vector<T> elements;
  std::vector<float> floats;
};

struct Layer {
  NchwShape shape;
  size_t outputs;
  PointwiseConvParams params = {};
  bool adds = false;
};

std::vector<PointwiseConvParams> EveryKind() {
  std::vector<PointwiseConvParams> kinds;
  for (const bool gates : {false, true}) {
    kinds.push_back({false, {}, gates});
    kinds.push_back({true, {true}, gates});
    kinds.push_back({true, {false}, gates});
  }
  return kinds;
}

// Runs the kernel on random tensors and compares what comes out. x, the residual and y begin
// `offset` elements past where they would be aligned.
template <typename T>
void ExpectMatches(const Layer& layer, size_t offset) {
  const auto& [shape, outputs, params, adds] = layer;
  const NchwShape y_shape = PointwiseConvShape(shape, outputs, params);
  const size_t elements = *ElementCount(y_shape);
  const Both<T> x(RandomTensor(*ElementCount(shape), -1.0f, 1.0f));
  const Both<T> scale(RandomTensor(shape.channels, 0.5f, 1.0f, 2));
  const Both<T> shift(RandomTensor(shape.channels, -1.0f, 1.0f, 3));
  const Both<T> weights(RandomTensor(outputs * shape.channels, -1.0f, 1.0f, 4));
  const Both<T> bias(RandomTensor(outputs, -1.0f, 1.0f, 5));
  const Both<T> gamma(RandomTensor(y_shape.channels, -1.0f, 1.0f, 6));
  const Both<T> residual(RandomTensor(elements, -1.0f, 1.0f, 7));
  const ShiftedInput<T> input(x.elements, offset);
  const ShiftedInput<T> added(residual.elements, offset);
  GuardedOutput<T> y(offset + elements);
  SerialLoop loop;
  const PointwiseConvTensors<T> tensors = {input.data(),
                                           scale.elements.data(),
                                           shift.elements.data(),
                                           weights.elements.data(),
                                           bias.elements.data(),
                                           gamma.elements.data(),
                                           adds ? added.data() : nullptr};
  ASSERT_TRUE(Succeeded(PointwiseConv(tensors, shape, outputs, params, loop, y.data() + offset)));
  EXPECT_TRUE(y.GuardsIntact());
  EXPECT_TRUE(y.Untouched(offset));
  const PointwiseConvTensors<float> floats = {x.floats.data(),
                                              scale.floats.data(),
                                              shift.floats.data(),
                                              weights.floats.data(),
                                              bias.floats.data(),
                                              gamma.floats.data(),
                                              adds ? residual.floats.data() : nullptr};
  const size_t plane = shape.height * shape.width;
  // Of large tensors some: the reference takes time by the square of the channels, or their cube.
  const size_t work = params.normalizes ? shape.channels * shape.channels : shape.channels;
  const size_t step = 1 + elements * work / 2'000'000;
  for (size_t i = 0; i < elements; i += step) {
    const PointwiseRef exact =
        PointwiseConvRef(floats, shape, i / plane / y_shape.channels, outputs, params,
                         i / plane % y_shape.channels, i % plane);
    ASSERT_TRUE(Agrees(y[offset + i], exact.value, exact.error + RoundingError<T>(exact.value)))
        << y[offset + i] << " for " << exact.value << " at " << i;
  }
}

void ExpectMatchesReference(const NchwShape& shape, size_t outputs, size_t offset = 0) {
  for (const PointwiseConvParams& params : EveryKind()) {
    if (params.gates && outputs % 2 != 0) continue;
    for (const bool adds : {false, true}) {
      SCOPED_TRACE(testing::Message() << params.normalizes << params.norm.centers << params.gates
                                      << adds << " " << outputs);
      ExpectMatches<float>({shape, outputs, params, adds}, offset);
      ExpectMatches<Float16>({shape, outputs, params, adds}, offset);
    }
  }
}

// Around the lengths of tiles and blocks.
TEST(PointwiseConv, EveryNumberOfPixelsMatchesReference) {
  for (size_t width = 1; width <= 70; ++width)
    ExpectMatchesReference({1, 3, 1, width}, 4, width % 5);
}

// Around what a tile has, and halves of it.
TEST(PointwiseConv, EveryNumberOfOutputsMatchesReference) {
  for (size_t outputs = 1; outputs <= 40; ++outputs) ExpectMatchesReference({1, 5, 3, 7}, outputs);
}

TEST(PointwiseConv, EveryNumberOfChannelsMatchesReference) {
  for (const size_t channels : {size_t{1}, size_t{2}, size_t{17}, size_t{96}, size_t{700}}) {
    ExpectMatchesReference({1, channels, 5, 29}, 8);
  }
}

TEST(PointwiseConv, BatchesMatchReference) { ExpectMatchesReference({3, 6, 9, 11}, 10, 3); }

// Written past the caches even in float16, several blocks to a task, planes that begin anywhere.
TEST(PointwiseConv, LargeTensorsMatchReference) {
  const Layer layers[] = {{{1, 4, 463, 307}, 34},
                          {{1, 4, 512, 512}, 36, {true, {true}, true}, true}};
  for (const Layer& layer : layers) {
    ExpectMatches<float>(layer, 3);
    ExpectMatches<float>(layer, 0);
    ExpectMatches<Float16>(layer, 3);
  }
}

TEST(PointwiseConv, MayWriteOverItsResidual) {
  const NchwShape shape = {2, 6, 31, 33};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> w = RandomTensor(36, -1.0f, 1.0f, 2);
  const auto run = [&](const float* residual, float* y) {
    SerialLoop loop;
    const PointwiseConvTensors<float> tensors = {x.data(), nullptr,  nullptr, w.data(),
                                                 w.data(), w.data(), residual};
    ASSERT_TRUE(Succeeded(PointwiseConv(tensors, shape, 6, {}, loop, y)));
  };
  std::vector<float> over = RandomTensor(x.size(), -1.0f, 1.0f, 3);
  std::vector<float> expected(x.size());
  run(over.data(), expected.data());
  run(over.data(), over.data());
  EXPECT_TRUE(BitIdentical(over, expected));
}

TEST(PointwiseConv, NonFiniteValuesStayInTheirPixel) {
  const NchwShape shape = {1, 4, 5, 67};
  const size_t plane = 5 * 67;
  const std::vector<float> w = RandomTensor(32, 0.5f, 1.0f, 2);
  for (const PointwiseConvParams& params : EveryKind()) {
    std::vector<float> x = RandomTensor(4 * plane, 1.0f, 2.0f);
    x[70] = kNaN;
    x[3 * plane + plane - 1] = kInfinity;
    const size_t written = params.gates ? 4 : 8;
    GuardedOutput y(written * plane);
    SerialLoop loop;
    const PointwiseConvTensors<float> tensors = {x.data(), w.data(), w.data(), w.data(),
                                                 w.data(), nullptr,  nullptr};
    ASSERT_TRUE(Succeeded(PointwiseConv(tensors, shape, 8, params, loop, y.data())));
    for (size_t i = 0; i < written * plane; ++i) {
      const bool spoilt = i % plane == 70 || i % plane == plane - 1;
      ASSERT_EQ(std::isfinite(y[i]), !spoilt) << i;
    }
  }
}

TEST(PointwiseConv, NoElementsNoWork) {
  SerialLoop loop;
  const PointwiseConvTensors<float> none = {};
  for (const NchwShape& shape : {NchwShape{0, 3, 8, 8}, {2, 3, 0, 8}, {2, 3, 8, 0}}) {
    EXPECT_TRUE(Succeeded(PointwiseConv<float>(none, shape, 4, {}, loop, nullptr)));
  }
  EXPECT_TRUE(Succeeded(PointwiseConv<float>(none, {1, 3, 8, 8}, 0, {}, loop, nullptr)));
}

// Of no channels the bias is left.
TEST(PointwiseConv, NoChannelsGiveTheBias) {
  const std::vector<float> bias = {0.5f, -1.0f};
  GuardedOutput y(24);
  SerialLoop loop;
  const PointwiseConvTensors<float> tensors = {nullptr,     nullptr, nullptr, nullptr,
                                               bias.data(), nullptr, nullptr};
  ASSERT_TRUE(Succeeded(PointwiseConv(tensors, {1, 0, 3, 4}, 2, {}, loop, y.data())));
  for (size_t i = 0; i < 24; ++i) EXPECT_EQ(y[i], bias[i / 12]);
}

TEST(PointwiseConv, LoopOrderDoesNotMatter) {
  const NchwShape shape = {2, 16, 120, 131};
  const std::vector<float> x = RandomTensor(*ElementCount(shape), -1.0f, 1.0f);
  const std::vector<float> w = RandomTensor(16 * 16, -1.0f, 1.0f, 2);
  for (const PointwiseConvParams& params : EveryKind()) {
    const auto run = [&](ParallelLoop& loop) {
      GuardedOutput y(*ElementCount(PointwiseConvShape(shape, 16, params)));
      const PointwiseConvTensors<float> tensors = {x.data(), w.data(), w.data(), w.data(),
                                                   w.data(), w.data(), x.data()};
      EXPECT_TRUE(Succeeded(PointwiseConv(tensors, shape, 16, params, loop, y.data())));
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

TEST(PointwiseConv, ReportsWhatTheLoopReports) {
  const std::vector<float> x(60, 1.0f);
  std::vector<float> y(60);
  FailingLoop loop;
  const PointwiseConvTensors<float> tensors = {x.data(), nullptr, nullptr, x.data(),
                                               x.data(), nullptr, nullptr};
  const Status status = PointwiseConv(tensors, {1, 5, 3, 4}, 5, {}, loop, y.data());
  EXPECT_EQ(status.code, StatusCode::kInternal);
  EXPECT_EQ(status.message, "pool is gone");
}

TEST(PointwiseConv, RefusesBadArguments) {
  const std::vector<float> x(60, 1.0f);
  const float* some = x.data();
  const PointwiseConvTensors<float> all = {some, some, some, some, some, some, some};
  GuardedOutput y(60);
  SerialLoop loop;
  const auto expect_refused = [&](const PointwiseConvTensors<float>& tensors,
                                  const NchwShape& shape, size_t outputs,
                                  const PointwiseConvParams& params, const std::string& message) {
    const Status status = PointwiseConv(tensors, shape, outputs, params, loop, y.data());
    EXPECT_EQ(status.code, StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message, message);
    EXPECT_TRUE(y.Untouched());
  };
  const NchwShape shape = {1, 5, 3, 4};
  expect_refused(all, shape, 5, {true, {true, -1.0f}},
                 "epsilon: expected a finite value of at least 0, received -1.000000");
  expect_refused(all, shape, 5, {false, {}, true},
                 "W: expected an even number of outputs, received 5");
  expect_refused(all, {SIZE_MAX / 2, 5, 3, 4}, 5, {},
                 "X: expected a shape that fits in memory, received [" +
                     std::to_string(SIZE_MAX / 2) + ", 5, 3, 4]");
  const auto without = [&](const float* PointwiseConvTensors<float>::*member) {
    PointwiseConvTensors<float> tensors = all;
    tensors.*member = nullptr;
    return tensors;
  };
  using Tensors = PointwiseConvTensors<float>;
  expect_refused(without(&Tensors::x), shape, 5, {},
                 "X: expected a pointer to 60 elements, received null");
  expect_refused(without(&Tensors::scale), shape, 5, {true},
                 "scale: expected a pointer to 5 elements, received null");
  expect_refused(without(&Tensors::weights), shape, 5, {},
                 "W: expected a pointer to 25 elements, received null");
  expect_refused(without(&Tensors::bias), shape, 5, {},
                 "B: expected a pointer to 5 elements, received null");
  expect_refused(without(&Tensors::gamma), shape, 5, {},
                 "gamma: expected a pointer to 5 elements, received null");
}

}  // namespace
}  // namespace tlsc
