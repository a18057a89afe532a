// The operator library inside a real ONNX Runtime: the one at the path in environment variable
// TLSC_ONNXRUNTIME. Without it these tests are skipped.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/channel_normalization_ref.h"
#include "kernels/depthwise_conv_ref.h"
#include "kernels/local_average_pool_ref.h"
#include "kernels/local_group_normalization_ref.h"
#include "kernels/local_instance_normalization_ref.h"
#include "kernels/local_transposed_attention_ref.h"
#include "kernels/local_windows_ref.h"
#include "kernels/pointwise_conv_ref.h"
#include "kernels/replicate_scale_ref.h"
#include "kernels/test_support.h"
#include "ort/errors.h"
#include "ort/register.h"
#include "ort/test_model.h"

namespace tlsc::ort {
namespace {

struct Tensor {
  std::vector<int64_t> dims;
  std::vector<float> values;
  TestElementType type = kTestFloat;  // or kTestFloat16, which holds the values rounded
};

template <typename T>
using Owned = std::unique_ptr<T, void(ORT_API_CALL*)(T*)>;

class Session : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("TLSC_ONNXRUNTIME");
    if (path == nullptr) GTEST_SKIP() << "TLSC_ONNXRUNTIME names no ONNX Runtime library";
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);  // stays: it has threads of its own
    ASSERT_NE(library, nullptr) << dlerror();
    using GetApiBase = const OrtApiBase*();
    auto* get_api_base = reinterpret_cast<GetApiBase*>(dlsym(library, "OrtGetApiBase"));
    ASSERT_NE(get_api_base, nullptr) << dlerror();
    base_ = get_api_base();
    api_ = base_->GetApi(21);
    ASSERT_NE(api_, nullptr) << "needs 1.21 or later, is " << base_->GetVersionString();
    static OrtEnv* env = nullptr;  // one per process
    if (env == nullptr) Check(api_->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "test", &env));
    env_ = env;
  }

  // Loads a model; a failure comes back as the message.
  std::string Load(const TestNode& node) {
    OrtSessionOptions* options = nullptr;
    Check(api_->CreateSessionOptions(&options));
    const Owned<OrtSessionOptions> owner(options, api_->ReleaseSessionOptions);
    Check(api_->SetIntraOpNumThreads(options, 3));
    Check(RegisterCustomOps(options, base_));
    const std::string model = TestModelWriter::Write(node);
    OrtSession* session = nullptr;
    const Status status = TakeStatus(
        *api_, api_->CreateSessionFromArray(env_, model.data(), model.size(), options, &session));
    session_ = Owned<OrtSession>(session, api_->ReleaseSession);
    input_names_.clear();
    for (const TestValue& input : node.inputs) input_names_.push_back(input.name);
    return status.message;
  }

  // Runs the loaded model; a failure comes back as the message.
  std::string Run(std::vector<Tensor> inputs, Tensor* output) {
    static const char* const kOutput = "Y";
    std::vector<const char*> names;
    for (const std::string& name : input_names_) names.push_back(name.c_str());
    std::vector<Owned<OrtValue>> owners;
    std::vector<const OrtValue*> values;
    OrtMemoryInfo* memory = nullptr;
    Check(api_->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory));
    const Owned<OrtMemoryInfo> memory_owner(memory, api_->ReleaseMemoryInfo);
    std::list<std::vector<Float16>> halves;  // stay where they are
    for (Tensor& input : inputs) {
      OrtValue* value = nullptr;
      void* data = input.values.data();
      size_t size = input.values.size() * sizeof(float);
      if (input.type == kTestFloat16) {
        data = halves.emplace_back(RoundTo<Float16>(input.values)).data();
        size = input.values.size() * sizeof(Float16);
      }
      Check(api_->CreateTensorWithDataAsOrtValue(
          memory, data, size, input.dims.data(), input.dims.size(),
          static_cast<ONNXTensorElementDataType>(input.type), &value));
      owners.emplace_back(value, api_->ReleaseValue);
      values.push_back(value);
    }
    OrtValue* y = nullptr;
    const Status status =
        TakeStatus(*api_, api_->Run(session_.get(), nullptr, names.data(), values.data(),
                                    values.size(), &kOutput, 1, &y));
    if (!status.ok()) return status.message;
    const Owned<OrtValue> y_owner(y, api_->ReleaseValue);
    OrtTensorTypeAndShapeInfo* info = nullptr;
    Check(api_->GetTensorTypeAndShape(y, &info));
    ONNXTensorElementDataType type;
    Check(api_->GetTensorElementType(info, &type));
    *output = {Dims(info), {}, static_cast<TestElementType>(type)};
    api_->ReleaseTensorTypeAndShapeInfo(info);
    size_t count = 1;
    for (const int64_t dim : output->dims) count *= static_cast<size_t>(dim);
    void* data = nullptr;
    Check(api_->GetTensorMutableData(y, &data));
    if (output->type == kTestFloat16) {
      const auto* halves_out = static_cast<const Float16*>(data);
      output->values = ToFloats(std::vector<Float16>(halves_out, halves_out + count));
    } else {
      const auto* floats = static_cast<const float*>(data);
      output->values.assign(floats, floats + count);
    }
    return "";
  }

  // The output's shape as far as it is known after loading: "2,channels,8,9", "" when unset.
  std::string InferredShape() {
    OrtTypeInfo* type = nullptr;
    Check(api_->SessionGetOutputTypeInfo(session_.get(), 0, &type));
    const Owned<OrtTypeInfo> type_owner(type, api_->ReleaseTypeInfo);
    const OrtTensorTypeAndShapeInfo* info = nullptr;  // belongs to type
    Check(api_->CastTypeInfoToTensorInfo(type, &info));
    const std::vector<int64_t> dims = Dims(info);
    std::vector<const char*> names(dims.size());
    Check(api_->GetSymbolicDimensions(info, names.data(), names.size()));
    std::string text;
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i > 0) text += ",";
      text += dims[i] >= 0 ? std::to_string(dims[i]) : names[i];
    }
    return text;
  }

 private:
  void Check(OrtStatus* status) {
    const Status taken = TakeStatus(*api_, status);
    ASSERT_TRUE(taken.ok()) << taken.message;
  }

  std::vector<int64_t> Dims(const OrtTensorTypeAndShapeInfo* info) {
    size_t rank = 0;
    Check(api_->GetDimensionsCount(info, &rank));
    std::vector<int64_t> dims(rank);
    Check(api_->GetDimensions(info, dims.data(), rank));
    return dims;
  }

  const OrtApiBase* base_ = nullptr;
  const OrtApi* api_ = nullptr;
  OrtEnv* env_ = nullptr;
  Owned<OrtSession> session_{nullptr, nullptr};
  std::vector<std::string> input_names_;
};

using Ints = std::vector<int64_t>;
using TestDims = std::vector<TestDim>;

const TestDims kSymbolic = {"n", "c", "h", "w"};

TestNode PoolNode(const TestDims& dims, TestAttributes attributes) {
  return {"LocalAveragePool", {{"X", dims}}, std::move(attributes)};
}

TestNode NormNode(const TestDims& dims, TestAttributes attributes) {
  return {"LocalInstanceNormalization",
          {{"X", dims}, {"scale", {""}}, {"B", {""}}},
          std::move(attributes)};
}

TestNode GroupNode(const TestDims& dims, TestAttributes attributes) {
  return {"LocalGroupNormalization",
          {{"X", dims}, {"scale", {""}}, {"B", {""}}},
          std::move(attributes)};
}

TestNode ChannelNode(bool centers, const TestDims& dims, TestAttributes attributes = {}) {
  if (centers) {
    return {"ChannelLayerNormalization",
            {{"X", dims}, {"scale", {""}}, {"B", {""}}},
            std::move(attributes)};
  }
  return {"ChannelVarianceNormalization", {{"X", dims}, {"scale", {""}}}, std::move(attributes)};
}

TestNode DepthwiseNode(const char* op_type, const TestDims& x, TestAttributes attributes = {}) {
  return {op_type, {{"X", x}, {"W", {"", "", "", ""}}, {"B", {""}}}, std::move(attributes)};
}

// X [N, 3, H, W] to 4 outputs, or 2 of a gate.
struct PointwiseCase {
  const char* op_type;
  std::vector<std::string> inputs;
  PointwiseConvParams params;
};

const std::vector<PointwiseCase>& PointwiseCases() {
  static const std::vector<PointwiseCase> cases = {
      {"PointwiseConv", {"X", "W", "B"}, {}},
      {"PointwiseConvGate", {"X", "W", "B"}, {false, {}, true}},
      {"PointwiseConvAdd", {"X", "W", "B", "gamma", "R"}, {}},
      {"LayerNormPointwiseConv", {"X", "scale", "shift", "W", "B"}, {true, {true, 0.1f}}},
      {"LayerNormPointwiseConvGate", {"X", "scale", "shift", "W", "B"}, {true, {true, 0.1f}, true}},
      {"VarianceNormPointwiseConv", {"X", "scale", "W", "B"}, {true, {false, 0.1f}}},
  };
  return cases;
}

TestNode PointwiseNode(const PointwiseCase& c, const TestDims& x, const TestDims& weights) {
  TestNode node = {c.op_type, {}, {}};
  for (const std::string& name : c.inputs) {
    const TestDims one = {""};
    node.inputs.push_back({name, name == "X"   ? x
                                 : name == "W" ? weights
                                 : name == "R" ? kSymbolic
                                               : one});
  }
  if (c.params.normalizes) node.attributes = {{"epsilon", 0.1f}};
  return node;
}

TestNode AttentionNode(bool convolves, const TestDims& x, const TestDims& weights,
                       bool local = true) {
  TestNode node = {"TransposedAttention", {{"X", x}, {"temperature", {""}}}, {{"epsilon", 0.1f}}};
  if (local) {
    node.op_type = "Local" + node.op_type;
    node.attributes.insert(node.attributes.begin(), {"kernel_shape", Ints{6, 7}});
  }
  if (convolves) {
    node.op_type += "PointwiseConvAdd";
    const TestDims one = {""};
    node.inputs.insert(node.inputs.end(),
                       {{"W", weights}, {"B", one}, {"gamma", one}, {"R", kSymbolic}});
  }
  return node;
}

TestNode ScaleNode(const TestDims& x, const TestDims& s) {
  return {"ReplicateScale", {{"X", x}, {"S", s}}, {}};
}

TestNode PartitionNode(const TestDims& dims, TestAttributes attributes) {
  return {"LocalWindowPartition", {{"X", dims}}, std::move(attributes)};
}

TestNode MergeNode(const TestDims& p, const TestDims& x) {
  return {"LocalWindowMerge", {{"P", p}, {"X", x}}, {}};
}

// The same node on tensors of another type.
TestNode WithType(TestElementType type, TestNode node) {
  for (TestValue& input : node.inputs) input.type = type;
  return node;
}

// Of values that halves can have.
Tensor HalfInput(Tensor tensor) {
  return {tensor.dims, ToFloats(RoundTo<Float16>(tensor.values)), kTestFloat16};
}

Tensor RandomInput(const Ints& dims) {
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
  return {dims, RandomTensor(count, -1.0f, 1.0f)};
}

void ExpectContains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "\"" << text << "\" lacks \"" << part << "\"";
}

TEST_F(Session, LocalAveragePoolMatchesReference) {
  for (const Padding padding : {Padding::kReplicate, Padding::kValid}) {
    const int64_t replicate = padding == Padding::kReplicate ? 1 : 0;
    ASSERT_EQ(Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}, {"replicate", replicate}})),
              "");
    const Tensor x = RandomInput({3, 5, 10, 12});
    Tensor y;
    ASSERT_EQ(Run({x}, &y), "");
    const bool valid = padding == Padding::kValid;
    ASSERT_EQ(y.dims, valid ? (Ints{3, 5, 7, 6}) : (Ints{3, 5, 10, 12}));
    size_t at = 0;
    for (int64_t plane = 0; plane < 15; ++plane) {
      for (int64_t i = 0; i < y.dims[2]; ++i) {
        for (int64_t j = 0; j < y.dims[3]; ++j, ++at) {
          const float* from = x.values.data() + plane * 10 * 12;
          ASSERT_NEAR(y.values[at], LocalAveragePoolRef(from, 10, 12, {{4, 7}, padding}, i, j),
                      1e-7);
        }
      }
    }
  }
}

TEST_F(Session, LocalAveragePoolReplicatesByDefault) {
  ASSERT_EQ(Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}})), "");
  Tensor y;
  ASSERT_EQ(Run({RandomInput({1, 1, 10, 12})}, &y), "");
  EXPECT_EQ(y.dims, (Ints{1, 1, 10, 12}));
}

TEST_F(Session, FastModeMatchesReference) {
  ASSERT_EQ(Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{6, 4}}, {"max_stride", Ints{2, 3}}})),
            "");
  const Tensor x = RandomInput({1, 1, 20, 18});
  Tensor y;
  ASSERT_EQ(Run({x}, &y), "");
  ASSERT_EQ(y.dims, x.dims);
  for (int64_t i = 0; i < 20; ++i) {
    for (int64_t j = 0; j < 18; ++j) {
      const double expected = LocalAveragePoolRef(x.values.data(), 20, 18,
                                                  {{6, 4}, Padding::kReplicate, {{2, 3}}}, i, j);
      ASSERT_NEAR(y.values[static_cast<size_t>(i * 18 + j)], expected, 1e-7);
    }
  }
  ExpectContains(Load(NormNode(kSymbolic, {{"kernel_shape", Ints{6, 4}}, {"max_stride", Ints{2}}})),
                 "max_stride: expected a list of two integers, received 1 of them");
}

TEST_F(Session, LocalInstanceNormalizationMatchesReference) {
  const KernelShape kernel_shape = {4, 7};
  for (const std::optional<float> epsilon : {std::optional<float>(), std::optional(0.5f)}) {
    const LocalInstanceNormalizationParams params = {kernel_shape, epsilon.value_or(1e-5f)};
    TestAttributes attributes = {{"kernel_shape", Ints{4, 7}}};
    if (epsilon) attributes.emplace_back("epsilon", *epsilon);
    ASSERT_EQ(Load(NormNode(kSymbolic, attributes)), "");
    const Tensor x = RandomInput({2, 3, 10, 12});
    const Tensor scale = {{3}, {1.0f, 2.0f, -0.5f}};
    const Tensor bias = {{3}, {0.0f, -1.0f, 0.25f}};
    Tensor y;
    ASSERT_EQ(Run({x, scale, bias}, &y), "");
    ASSERT_EQ(y.dims, x.dims);
    size_t at = 0;
    for (size_t plane = 0; plane < 6; ++plane) {
      for (int64_t i = 0; i < 10; ++i) {
        for (int64_t j = 0; j < 12; ++j, ++at) {
          const float* from = x.values.data() + plane * 10 * 12;
          const double expected =
              LocalInstanceNormalizationRef(from, 10, 12, scale.values[plane % 3],
                                            bias.values[plane % 3], params, i, j)
                  .value;
          ASSERT_NEAR(y.values[at], expected, 1e-6);
        }
      }
    }
  }
}

TEST_F(Session, LocalGroupNormalizationMatchesReference) {
  for (const std::optional<float> epsilon : {std::optional<float>(), std::optional(0.5f)}) {
    const LocalGroupNormalizationParams params = {{4, 7}, 2, epsilon.value_or(1e-5f)};
    TestAttributes attributes = {{"kernel_shape", Ints{4, 7}}, {"num_groups", int64_t{2}}};
    if (epsilon) attributes.emplace_back("epsilon", *epsilon);
    ASSERT_EQ(Load(GroupNode(kSymbolic, attributes)), "");
    const Tensor x = RandomInput({2, 4, 10, 12});
    const Tensor scale = {{4}, {1.0f, 2.0f, -0.5f, 0.75f}};
    const Tensor bias = {{4}, {0.0f, -1.0f, 0.25f, 3.0f}};
    Tensor y;
    ASSERT_EQ(Run({x, scale, bias}, &y), "");
    ASSERT_EQ(y.dims, x.dims);
    size_t at = 0;
    for (size_t plane = 0; plane < 8; ++plane) {
      const float* image = x.values.data() + plane / 4 * 4 * 10 * 12;
      for (int64_t i = 0; i < 10; ++i) {
        for (int64_t j = 0; j < 12; ++j, ++at) {
          const size_t channel = plane % 4;
          const double expected = LocalGroupNormalizationRef(
                                      image, 4, 10, 12, scale.values[channel], bias.values[channel],
                                      params, static_cast<int64_t>(channel), i, j)
                                      .value;
          ASSERT_NEAR(y.values[at], expected, 1e-6);
        }
      }
    }
  }
}

TEST_F(Session, ChannelNormalizationsMatchReference) {
  const Tensor x = RandomInput({2, 3, 10, 12});
  const Tensor scale = {{3}, {1.0f, 2.0f, -0.5f}};
  const Tensor bias = {{3}, {0.0f, -1.0f, 0.25f}};
  for (const bool centers : {true, false}) {
    ASSERT_EQ(Load(ChannelNode(centers, kSymbolic, {{"epsilon", 0.1f}})), "");
    Tensor y;
    ASSERT_EQ(
        Run(centers ? std::vector<Tensor>{x, scale, bias} : std::vector<Tensor>{x, scale}, &y), "");
    ASSERT_EQ(y.dims, x.dims);
    for (size_t i = 0; i < y.values.size(); ++i) {
      const size_t channel = i / 120 % 3;
      const double expected = ChannelNormalizationRef(
          x.values.data() + i - channel * 120, 3, 120, double{scale.values[channel]},
          centers ? double{bias.values[channel]} : 0.0, {centers, 0.1f}, channel);
      ASSERT_NEAR(y.values[i], expected, 1e-6);
    }
  }
}

TEST_F(Session, DepthwiseConvsMatchReference) {
  const Tensor x = RandomInput({2, 4, 10, 12});
  const Tensor weights = RandomInput({4, 1, 3, 3});
  const Tensor bias = RandomInput({4});
  for (const auto& [name, gate] : {std::pair{"DepthwiseConv", Gate::kNone},
                                   {"DepthwiseConvGate", Gate::kProduct},
                                   {"DepthwiseConvGeluGate", Gate::kGelu}}) {
    ASSERT_EQ(Load(DepthwiseNode(name, kSymbolic)), "");
    Tensor y;
    ASSERT_EQ(Run({x, weights, bias}, &y), "");
    const size_t channels = gate == Gate::kNone ? 4 : 2;
    ASSERT_EQ(y.dims, (Ints{2, static_cast<int64_t>(channels), 10, 12}));
    for (size_t i = 0; i < y.values.size(); ++i) {
      const DepthwiseRef exact = DepthwiseConvRef(
          x.values.data() + i / 120 / channels * 480, {2, 4, 10, 12}, weights.values.data(),
          bias.values.data(), gate, i / 120 % channels, i % 120 / 12, i % 12);
      ASSERT_NEAR(y.values[i], exact.value, exact.error);
    }
    ASSERT_EQ(Load(DepthwiseNode(name, {"n", 6, "h", 12})), "");
    EXPECT_EQ(InferredShape(), gate == Gate::kNone ? "n,6,h,12" : "n,3,h,12");
  }
}

TEST_F(Session, PointwiseConvsMatchReference) {
  const NchwShape shape = {2, 3, 10, 12};
  const std::map<std::string, Tensor> tensors = {
      {"X", RandomInput({2, 3, 10, 12})}, {"scale", RandomInput({3})}, {"shift", RandomInput({3})},
      {"W", RandomInput({4, 3, 1, 1})},   {"B", RandomInput({4})},     {"gamma", RandomInput({4})},
      {"R", RandomInput({2, 4, 10, 12})}};
  const auto floats = [&](const char* name) { return tensors.at(name).values.data(); };
  for (const PointwiseCase& c : PointwiseCases()) {
    SCOPED_TRACE(c.op_type);
    const bool adds = c.inputs.back() == "R";
    ASSERT_EQ(Load(PointwiseNode(c, kSymbolic, {"", "", "", ""})), "");
    std::vector<Tensor> inputs;
    for (const std::string& name : c.inputs) inputs.push_back(tensors.at(name));
    Tensor y;
    ASSERT_EQ(Run(inputs, &y), "");
    const int64_t written = c.params.gates ? 2 : 4;
    ASSERT_EQ(y.dims, (Ints{2, written, 10, 12}));
    const PointwiseConvTensors<float> reference = {
        floats("X"),
        floats("scale"),
        c.params.norm.centers ? floats("shift") : nullptr,
        floats("W"),
        floats("B"),
        floats("gamma"),
        adds ? floats("R") : nullptr};
    for (size_t i = 0; i < y.values.size(); ++i) {
      const size_t plane = i / 120;
      const auto channels = static_cast<size_t>(written);
      const PointwiseRef exact = PointwiseConvRef(reference, shape, plane / channels, 4, c.params,
                                                  plane % channels, i % 120);
      ASSERT_NEAR(y.values[i], exact.value, exact.error);
    }
    // As halves, within their rounding.
    std::vector<Tensor> halves;
    for (const Tensor& input : inputs) halves.push_back(HalfInput(input));
    Tensor rounded;
    ASSERT_EQ(Load(WithType(kTestFloat16, PointwiseNode(c, kSymbolic, {"", "", "", ""}))), "");
    ASSERT_EQ(Run(halves, &rounded), "");
    for (size_t i = 0; i < y.values.size(); ++i) {
      ASSERT_NEAR(rounded.values[i], y.values[i], 1e-2);
    }
    ASSERT_EQ(Load(PointwiseNode(c, {"n", 3, "h", 12}, {6, 3, 1, 1})), "");
    EXPECT_EQ(InferredShape(), c.params.gates ? "n,3,h,12" : "n,6,h,12");
  }
}

TEST_F(Session, LocalInstanceNormalizationLeakyReluMatchesReference) {
  TestNode node = NormNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}, {"alpha", 0.25f}});
  node.op_type = "LocalHalfInstanceNormalizationLeakyRelu";
  const Tensor x = RandomInput({2, 3, 10, 12});
  const Tensor scale = RandomInput({2});
  const Tensor bias = RandomInput({2});
  ASSERT_EQ(Load(node), "");
  Tensor y;
  ASSERT_EQ(Run({x, scale, bias}, &y), "");
  ASSERT_EQ(y.dims, x.dims);
  for (size_t i = 0; i < y.values.size(); ++i) {
    const size_t channel = i / 120 % 3;
    double expected = double{x.values[i]};
    if (channel < 2) {
      expected = LocalInstanceNormalizationRef(
                     x.values.data() + i / 120 * 120, 10, 12, double{scale.values[channel]},
                     double{bias.values[channel]}, {{4, 7}}, static_cast<int64_t>(i % 120 / 12),
                     static_cast<int64_t>(i % 12))
                     .value;
    }
    ASSERT_NEAR(y.values[i], expected < 0.0 ? 0.25 * expected : expected, 1e-5);
  }
  ExpectContains(Run({x, RandomInput({4}), RandomInput({4})}, &y),
                 "LocalHalfInstanceNormalizationLeakyRelu: scale: expected no more than the "
                 "channels of X, 3, of elements, received 4");
  ExpectContains(Run({x, scale, RandomInput({1})}, &y),
                 "LocalHalfInstanceNormalizationLeakyRelu: B: expected shape [2], received [1]");
  node.op_type = "LocalInstanceNormalizationLeakyRelu";
  ASSERT_EQ(Load(node), "");
  ExpectContains(Run({x, scale, bias}, &y),
                 "LocalInstanceNormalizationLeakyRelu: scale: expected shape [3], received [2]");
}

TEST_F(Session, TransposedAttentionMatchesReference) {
  const NchwShape shape = {2, 12, 10, 12};
  const std::vector<Tensor> first = {RandomInput({2, 12, 10, 12}), RandomInput({2})};
  const std::vector<Tensor> convolution = {RandomInput({5, 4, 1, 1}), RandomInput({5}),
                                           RandomInput({5}), RandomInput({2, 5, 10, 12})};
  for (const bool local : {true, false}) {
    for (const bool convolves : {false, true}) {
      SCOPED_TRACE(AttentionNode(convolves, kSymbolic, {}, local).op_type);
      const TestNode node = AttentionNode(convolves, kSymbolic, {"", "", "", ""}, local);
      ASSERT_EQ(Load(node), "");
      std::vector<Tensor> inputs = first;
      if (convolves) inputs.insert(inputs.end(), convolution.begin(), convolution.end());
      Tensor y;
      ASSERT_EQ(Run(inputs, &y), "");
      const int64_t outputs = convolves ? 5 : 4;
      ASSERT_EQ(y.dims, (Ints{2, outputs, 10, 12}));
      LocalTransposedAttentionTensors<float> reference = {
          first[0].values.data(), first[1].values.data(), nullptr, nullptr, nullptr, nullptr};
      if (convolves) {
        reference = {first[0].values.data(),       first[1].values.data(),
                     convolution[0].values.data(), convolution[1].values.data(),
                     convolution[2].values.data(), convolution[3].values.data()};
      }
      const AttentionRef exact =
          LocalTransposedAttentionRef(reference, shape, static_cast<size_t>(outputs),
                                      {local ? KernelShape{6, 7} : KernelShape{10, 12}, 2, 0.1f});
      for (size_t i = 0; i < y.values.size(); ++i) {
        ASSERT_NEAR(y.values[i], exact.values[i], exact.errors[i]);
      }
      // As halves, within their rounding.
      std::vector<Tensor> halves;
      for (const Tensor& input : inputs) halves.push_back(HalfInput(input));
      Tensor rounded;
      ASSERT_EQ(Load(WithType(kTestFloat16, node)), "");
      ASSERT_EQ(Run(halves, &rounded), "");
      for (size_t i = 0; i < y.values.size(); ++i) {
        ASSERT_NEAR(rounded.values[i], y.values[i], 1e-2);
      }
      ASSERT_EQ(Load(AttentionNode(convolves, {"n", 12, "h", 12}, {7, 4, 1, 1}, local)), "");
      EXPECT_EQ(InferredShape(), convolves ? "n,7,h,12" : "n,4,h,12");
    }
  }
}

TEST_F(Session, ReplicateScaleMatchesReference) {
  ASSERT_EQ(Load(ScaleNode(kSymbolic, {"m", "d", "i", "j"})), "");
  const Ints x_dims = {2, 1, 10, 12};
  const Tensor x = RandomInput(x_dims);
  const Tensor s = RandomInput({1, 3, 7, 6});
  Tensor y;
  ASSERT_EQ(Run({x, s}, &y), "");
  ASSERT_EQ(y.dims, (Ints{2, 3, 10, 12}));
  size_t at = 0;
  for (size_t n = 0; n < 2; ++n) {
    for (size_t c = 0; c < 3; ++c) {
      for (int64_t i = 0; i < 10; ++i) {
        for (int64_t j = 0; j < 12; ++j, ++at) {
          const double expected = ReplicateScaleRef(x.values.data(), {2, 1, 10, 12},
                                                    s.values.data(), {1, 3, 7, 6}, n, c, i, j);
          ASSERT_EQ(y.values[at], static_cast<float>(expected));
        }
      }
    }
  }
}

TEST_F(Session, LocalWindowsMatchReference) {
  ASSERT_EQ(Load(PartitionNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}})), "");
  const Tensor x = RandomInput({2, 3, 10, 12});
  Tensor p;
  ASSERT_EQ(Run({x}, &p), "");
  ASSERT_EQ(p.dims, (Ints{12, 3, 4, 7}));  // three down, two across
  EXPECT_EQ(p.values[0], x.values[0]);
  EXPECT_EQ(p.values.back(), x.values.back());
  ASSERT_EQ(Load(MergeNode({"m", "c", "i", "j"}, kSymbolic)), "");
  p = RandomInput(p.dims);
  Tensor y;
  ASSERT_EQ(Run({p, x}, &y), "");
  ASSERT_EQ(y.dims, x.dims);
  size_t at = 0;
  for (size_t n = 0; n < 2; ++n) {
    for (size_t c = 0; c < 3; ++c) {
      for (size_t i = 0; i < 10; ++i) {
        for (size_t j = 0; j < 12; ++j, ++at) {
          const double expected =
              LocalWindowMergeRef(p.values.data(), {12, 3, 4, 7}, {2, 3, 10, 12}, n, c, i, j);
          ASSERT_NEAR(y.values[at], expected, 1e-6);
        }
      }
    }
  }
}

// The float32 results of the same inputs, rounded: one rounding lies between the two, and the first
// is checked against the references above.
TEST_F(Session, Float16IsFloat32Rounded) {
  const TestAttributes attributes = {{"kernel_shape", Ints{4, 7}}};
  const Tensor x = HalfInput(RandomInput({2, 3, 10, 12}));
  const Tensor s = HalfInput(RandomInput({1, 3, 7, 6}));
  const Tensor scale = HalfInput({{3}, {1.0f, 2.0f, -0.5f}});
  const Tensor bias = HalfInput({{3}, {0.0f, -1.0f, 0.25f}});
  const struct {
    TestNode node;
    std::vector<Tensor> inputs;
  } cases[] = {
      {PoolNode(kSymbolic, attributes), {x}},
      {PoolNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}, {"replicate", int64_t{0}}}), {x}},
      {NormNode(kSymbolic, attributes), {x, scale, bias}},
      {GroupNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}, {"num_groups", int64_t{1}}}),
       {x, scale, bias}},
      {ChannelNode(true, kSymbolic), {x, scale, bias}},
      {ChannelNode(false, kSymbolic), {x, scale}},
      {DepthwiseNode("DepthwiseConv", kSymbolic), {x, HalfInput(RandomInput({3, 1, 3, 3})), bias}},
      {ScaleNode(kSymbolic, {"m", "d", "i", "j"}), {x, s}},
      {PartitionNode(kSymbolic, attributes), {x}},
      {MergeNode({"m", "c", "i", "j"}, kSymbolic), {HalfInput(RandomInput({12, 3, 4, 7})), x}},
  };
  for (const auto& c : cases) {
    std::vector<Tensor> floats = c.inputs;
    for (Tensor& input : floats) input.type = kTestFloat;
    Tensor expected, y;
    ASSERT_EQ(Load(c.node), "");
    ASSERT_EQ(Run(floats, &expected), "");
    ASSERT_EQ(Load(WithType(kTestFloat16, c.node)), "");
    ASSERT_EQ(Run(c.inputs, &y), "");
    EXPECT_EQ(y.type, kTestFloat16);
    EXPECT_EQ(y.dims, expected.dims);
    EXPECT_EQ(y.values, ToFloats(RoundTo<Float16>(expected.values))) << c.node.op_type;
  }
}

TEST_F(Session, RefusesOtherAndMixedTypes) {
  const TestNode pool = PoolNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}});
  ExpectContains(Load(WithType(kTestDouble, pool)),
                 "Type 'tensor(double)' of input parameter (X) of operator (LocalAveragePool)");
  TestNode norm = NormNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}});
  norm.inputs[0].type = kTestFloat16;
  ExpectContains(Load(norm),
                 "no kernel def matches node inputs for Op: LocalInstanceNormalization");
  TestNode product = ScaleNode(kSymbolic, kSymbolic);
  product.inputs[1].type = kTestFloat16;
  ExpectContains(Load(product), "no kernel def matches node inputs for Op: ReplicateScale");
}

TEST_F(Session, EmptyTensors) {
  ASSERT_EQ(Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}})), "");
  Tensor y;
  for (const Ints& dims : {Ints{0, 3, 8, 8}, Ints{1, 3, 0, 8}, Ints{1, 3, 8, 0}}) {
    ASSERT_EQ(Run({RandomInput(dims)}, &y), "");
    EXPECT_EQ(y.dims, dims);
  }
  ASSERT_EQ(Load(ScaleNode(kSymbolic, {"m", "d", "i", "j"})), "");
  ASSERT_EQ(Run({RandomInput({1, 3, 8, 8}), RandomInput({0, 3, 4, 4})}, &y), "");
  EXPECT_EQ(y.dims, (Ints{0, 3, 8, 8}));
  Tensor p;
  ASSERT_EQ(Load(PartitionNode(kSymbolic, {{"kernel_shape", Ints{4, 7}}})), "");
  ASSERT_EQ(Run({RandomInput({2, 3, 0, 8})}, &p), "");
  EXPECT_EQ(p.dims, (Ints{4, 3, 0, 7}));
  ASSERT_EQ(Load(MergeNode({"m", "c", "i", "j"}, kSymbolic)), "");
  ASSERT_EQ(Run({p, RandomInput({2, 3, 0, 8})}, &y), "");
  EXPECT_EQ(y.dims, (Ints{2, 3, 0, 8}));
}

TEST_F(Session, InfersOutputShapes) {
  struct {
    TestDims x;
    int64_t replicate;
    std::string y;
  } const cases[] = {
      {{2, 3, 10, 12}, 1, "2,3,10,12"},   {{"n", 3, "h", 12}, 1, "n,3,h,12"},
      {{"n", 3, "", 12}, 1, ""},          {{2, 3, 10, 12}, 0, "2,3,7,6"},
      {{"n", "c", 10, 12}, 0, "n,c,7,6"}, {{2, 3, "h", 12}, 0, ""},
  };
  for (const auto& c : cases) {
    const TestNode node = PoolNode(c.x, {{"kernel_shape", Ints{4, 7}}, {"replicate", c.replicate}});
    for (const TestElementType type : {kTestFloat, kTestFloat16}) {
      ASSERT_EQ(Load(WithType(type, node)), "");
      EXPECT_EQ(InferredShape(), c.y);
    }
  }
  ASSERT_EQ(Load(NormNode({"n", 3, "h", 12}, {{"kernel_shape", Ints{4, 7}}})), "");
  EXPECT_EQ(InferredShape(), "n,3,h,12");
  ASSERT_EQ(Load(GroupNode({"n", 3, "h", 12},
                           {{"kernel_shape", Ints{4, 7}}, {"num_groups", int64_t{3}}})),
            "");
  EXPECT_EQ(InferredShape(), "n,3,h,12");
}

TEST_F(Session, InfersShapesOfChannelNormalizations) {
  for (const bool centers : {true, false}) {
    ASSERT_EQ(Load(ChannelNode(centers, {"n", 3, "h", 12})), "");
    EXPECT_EQ(InferredShape(), "n,3,h,12");
  }
}

TEST_F(Session, InfersShapesOfProducts) {
  struct {
    TestDims x, s;
    std::string y;
  } const cases[] = {
      {{2, 3, 10, 12}, {2, 3, 7, 6}, "2,3,10,12"},
      {{2, 1, 10, 12}, {1, 3, 7, 6}, "2,3,10,12"},
      {{"n", "c", "h", "w"}, {"n", "c", "i", "j"}, "n,c,h,w"},
      {{"n", 1, "h", 12}, {1, "c", "i", 6}, "n,c,h,12"},
      {{"n", 3, "h", 12}, {4, "c", "i", 6}, "4,3,h,12"},
      {{"n", 3, "h", 12}, {"m", 3, "i", 6}, ""},  // either may be 1
      {{2, 3, 10, 12}, {2, 4, 7, 6}, ""},         // the kernel will say so
      {{2, 3, "", 12}, {2, 3, 7, 6}, ""},
      {{2, 3, 10, 12}, {2, 3, "", 6}, ""},
  };
  for (const auto& c : cases) {
    ASSERT_EQ(Load(ScaleNode(c.x, c.s)), "");
    EXPECT_EQ(InferredShape(), c.y);
  }
}

TEST_F(Session, InfersShapesOfWindows) {
  const TestAttributes attributes = {{"kernel_shape", Ints{4, 7}}};
  ASSERT_EQ(Load(PartitionNode({2, 3, 10, 12}, attributes)), "");
  EXPECT_EQ(InferredShape(), "12,3,4,7");
  ASSERT_EQ(Load(PartitionNode({"n", 3, 10, 12}, attributes)), "");
  EXPECT_EQ(InferredShape(), "");
  ASSERT_EQ(Load(MergeNode({"m", 3, "i", "j"}, {"n", 3, "h", 12})), "");
  EXPECT_EQ(InferredShape(), "n,3,h,12");
}

TEST_F(Session, RefusesBadAttributes) {
  ExpectContains(Load(PoolNode(kSymbolic, {})),
                 "LocalAveragePool: kernel_shape: expected a list of two integers, received no "
                 "such attribute");
  ExpectContains(Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{3}}})),
                 "LocalAveragePool: kernel_shape: expected a list of two integers, received 1 of "
                 "them");
  ExpectContains(Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{3, 0}}})),
                 "LocalAveragePool: kernel_shape: expected a height and a width of at least 1, "
                 "received [3, 0]");
  ExpectContains(
      Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{3, 3}}, {"replicate", int64_t{2}}})),
      "LocalAveragePool: replicate: expected 0 or 1, received 2");
  ExpectContains(Load(PoolNode(kSymbolic, {{"kernel_shape", Ints{3, 3}},
                                           {"replicate", std::string("valid")}})),
                 "LocalAveragePool: replicate: expected an integer, received an attribute of "
                 "another type");
  ExpectContains(Load(NormNode(kSymbolic, {{"kernel_shape", Ints{3, 3}}, {"epsilon", -1.0f}})),
                 "LocalInstanceNormalization: epsilon: expected a finite value of at least 0, "
                 "received -1");
  ExpectContains(Load(PartitionNode(kSymbolic, {{"kernel_shape", Ints{0, 3}}})),
                 "LocalWindowPartition: kernel_shape: expected a height and a width of at least 1, "
                 "received [0, 3]");
  ExpectContains(
      Load(NormNode(kSymbolic, {{"kernel_shape", Ints{3, 3}}, {"epsilon", int64_t{1}}})),
      "LocalInstanceNormalization: epsilon: expected a float, received an attribute of another "
      "type");
  ExpectContains(Load(GroupNode(kSymbolic, {{"kernel_shape", Ints{3, 3}}})),
                 "LocalGroupNormalization: num_groups: expected an integer, received no such "
                 "attribute");
  ExpectContains(
      Load(GroupNode(kSymbolic, {{"kernel_shape", Ints{3, 3}}, {"num_groups", int64_t{0}}})),
      "LocalGroupNormalization: num_groups: expected at least 1, received 0");
  ExpectContains(Load(ChannelNode(true, kSymbolic, {{"epsilon", -1.0f}})),
                 "ChannelLayerNormalization: epsilon: expected a finite value of at least 0, "
                 "received -1");
}

TEST_F(Session, RefusesBadShapes) {
  Tensor y;
  ASSERT_EQ(Load(PoolNode({"n", "c", "l"}, {{"kernel_shape", Ints{3, 3}}})), "");
  ExpectContains(Run({RandomInput({2, 3, 4})}, &y),
                 "LocalAveragePool: X: expected four dimensions, [N, C, H, W], received 3, "
                 "[2, 3, 4]");
  ASSERT_EQ(Load(NormNode(kSymbolic, {{"kernel_shape", Ints{3, 3}}})), "");
  const Tensor x = RandomInput({1, 3, 4, 4});
  ExpectContains(Run({x, RandomInput({4}), RandomInput({3})}, &y),
                 "LocalInstanceNormalization: scale: expected shape [3], received [4]");
  ExpectContains(Run({x, RandomInput({3}), RandomInput({1})}, &y),
                 "LocalInstanceNormalization: B: expected shape [3], received [1]");
  ASSERT_EQ(Load(GroupNode(kSymbolic, {{"kernel_shape", Ints{3, 3}}, {"num_groups", int64_t{2}}})),
            "");
  ExpectContains(Run({x, RandomInput({3}), RandomInput({3})}, &y),
                 "LocalGroupNormalization: num_groups: expected a divisor of the 3 channels of X, "
                 "received 2");
  ASSERT_EQ(Load(ChannelNode(true, kSymbolic)), "");
  ExpectContains(Run({x, RandomInput({3}), RandomInput({4})}, &y),
                 "ChannelLayerNormalization: B: expected shape [3], received [4]");
  ASSERT_EQ(Load(DepthwiseNode("DepthwiseConvGate", kSymbolic)), "");
  ExpectContains(Run({x, RandomInput({3, 1, 3, 3}), RandomInput({3})}, &y),
                 "DepthwiseConvGate: X: expected an even number of channels, received 3");
  ASSERT_EQ(Load(DepthwiseNode("DepthwiseConv", kSymbolic, {{"group", int64_t{4}}})), "");
  ExpectContains(Run({x, RandomInput({3, 1, 3, 3}), RandomInput({3})}, &y),
                 "DepthwiseConv: group: expected the channels of X, 3, received 4");
  ASSERT_EQ(Load(DepthwiseNode("DepthwiseConvGate", kSymbolic)), "");
  ExpectContains(Run({x, RandomInput({3, 3, 3, 1}), RandomInput({3})}, &y),
                 "DepthwiseConvGate: W: expected shape [3, 1, 3, 3], received [3, 3, 3, 1]");
  const TestDims some = {"", "", "", ""};
  ASSERT_EQ(Load(PointwiseNode(PointwiseCases()[1], kSymbolic, some)), "");
  ExpectContains(Run({x, RandomInput({5, 3, 1, 1}), RandomInput({5})}, &y),
                 "PointwiseConvGate: W: expected an even number of outputs, received 5");
  ExpectContains(Run({x, RandomInput({4, 4, 1, 1}), RandomInput({4})}, &y),
                 "PointwiseConvGate: W: expected shape [4, 3, 1, 1], received [4, 4, 1, 1]");
  ASSERT_EQ(Load(PointwiseNode(PointwiseCases()[2], kSymbolic, some)), "");
  ExpectContains(Run({x, RandomInput({4, 3, 1, 1}), RandomInput({4}), RandomInput({4}),
                      RandomInput({1, 4, 4, 5})},
                     &y),
                 "PointwiseConvAdd: R: expected shape [1, 4, 4, 4], received [1, 4, 4, 5]");
  ASSERT_EQ(Load(AttentionNode(false, kSymbolic, some)), "");
  ExpectContains(Run({x, RandomInput({2})}, &y),
                 "LocalTransposedAttention: X: expected three times a multiple of 2 channels, "
                 "received 3");
  ASSERT_EQ(Load(AttentionNode(true, kSymbolic, some)), "");
  ExpectContains(Run({x, RandomInput({1}), RandomInput({4, 3, 1, 1}), RandomInput({4}),
                      RandomInput({4}), RandomInput({1, 4, 4, 4})},
                     &y),
                 "LocalTransposedAttentionPointwiseConvAdd: W: expected shape [4, 1, 1, 1], "
                 "received [4, 3, 1, 1]");
  ASSERT_EQ(Load(ChannelNode(false, kSymbolic)), "");
  ExpectContains(Run({x, RandomInput({1})}, &y),
                 "ChannelVarianceNormalization: scale: expected shape [3], received [1]");
  ASSERT_EQ(Load(ScaleNode(kSymbolic, {"m", "d", "i", "j"})), "");
  ExpectContains(Run({x, RandomInput({1, 2, 2, 2})}, &y),
                 "ReplicateScale: S: expected a channel count of 3 or 1, received 2");
  ExpectContains(Run({x, RandomInput({1, 3, 5, 2})}, &y),
                 "ReplicateScale: S: expected a plane that is not empty within [4, 4], received "
                 "[5, 2]");
  ASSERT_EQ(Load(ScaleNode(kSymbolic, {"m", "d", "i"})), "");
  ExpectContains(Run({x, RandomInput({1, 3, 2})}, &y),
                 "ReplicateScale: S: expected four dimensions, [N, C, H, W], received 3, "
                 "[1, 3, 2]");
  ASSERT_EQ(Load(MergeNode({"m", "d", "i", "j"}, kSymbolic)), "");
  ExpectContains(Run({RandomInput({2, 3, 2, 2}), x}, &y),
                 "LocalWindowMerge: P: expected 4 windows, received 2");
}

}  // namespace
}  // namespace tlsc::ort
