#include "ort/register.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// Registration against a pretended ONNX Runtime, of which only the parts in use are filled in. For
// a real one see session_test.cc.
namespace {

// Of the library that is linked; null for the CPU's.
#ifdef TLSC_PROVIDER
constexpr const char* kProvider = TLSC_PROVIDER;
#else
constexpr const char* kProvider = nullptr;
#endif

std::string created_message;
OrtErrorCode created_code;
int status_storage;

OrtStatus* CreateStatus(OrtErrorCode code, const char* message) noexcept {
  created_code = code;
  created_message = message;
  return reinterpret_cast<OrtStatus*>(&status_storage);
}

const OrtApi* OldGetApi(uint32_t version) noexcept {
  static const OrtApi api = [] {
    OrtApi table{};
    table.CreateStatus = CreateStatus;
    return table;
  }();
  return version <= 20 ? &api : nullptr;
}

const char* OldVersion() noexcept { return "1.20.1"; }

TEST(RegisterCustomOps, RefusesAnOldRuntimeByName) {
  const OrtApiBase base = {OldGetApi, OldVersion};
  EXPECT_NE(RegisterCustomOps(nullptr, &base), nullptr);
  EXPECT_EQ(created_code, ORT_RUNTIME_EXCEPTION);
  EXPECT_EQ(created_message,
            "RegisterCustomOps: expected ONNX Runtime 1.21 or later, received 1.20.1");
}

// Two runtimes in one process: a template parameter makes each a set of its own.
template <int kRuntime>
struct FakeRuntime {
  static inline int domains_created = 0;
  static inline std::vector<std::string> op_names;
  static inline std::vector<ONNXTensorElementDataType> types;  // of the operators' tensors
  static inline int options_extended = 0;
  static inline int domain_storage;

  static const OrtApi* GetApi(uint32_t) noexcept {
    static const OrtApi api = [] {
      OrtApi table{};
      table.CreateCustomOpDomain = [](const char* name, OrtCustomOpDomain** out) noexcept {
        EXPECT_STREQ(name, "tlsc");
        ++domains_created;
        *out = reinterpret_cast<OrtCustomOpDomain*>(&domain_storage);
        return static_cast<OrtStatus*>(nullptr);
      };
      table.CustomOpDomain_Add = [](OrtCustomOpDomain*, const OrtCustomOp* op) noexcept {
        EXPECT_EQ(op->version, 21u);
        EXPECT_STREQ(op->GetExecutionProviderType(op), kProvider);
        op_names.push_back(op->GetName(op));
        types.push_back(op->GetInputType(op, 0));
        for (size_t i = 0; i < op->GetInputTypeCount(op); ++i) {
          // But for what says where the images lie, which is optional and no image.
          const bool is_image = op->GetInputType(op, i) == types.back();
          EXPECT_EQ(op->GetInputCharacteristic(op, i),
                    is_image ? INPUT_OUTPUT_REQUIRED : INPUT_OUTPUT_OPTIONAL);
          EXPECT_EQ(op->GetInputMemoryType(op, i),
                    is_image ? OrtMemTypeDefault : OrtMemTypeCPUInput);
          if (!is_image) {
            EXPECT_EQ(op->GetInputType(op, i), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
          }
        }
        EXPECT_EQ(op->GetOutputType(op, 0), types.back());
        return static_cast<OrtStatus*>(nullptr);
      };
      table.AddCustomOpDomain = [](OrtSessionOptions*, OrtCustomOpDomain* domain) noexcept {
        EXPECT_EQ(domain, reinterpret_cast<OrtCustomOpDomain*>(&domain_storage));
        ++options_extended;
        return static_cast<OrtStatus*>(nullptr);
      };
      return table;
    }();
    return &api;
  }

  static const char* Version() noexcept { return "1.21.0"; }
  static inline const OrtApiBase base = {GetApi, Version};
};

TEST(RegisterCustomOps, KeepsOneDomainPerRuntime) {
  using First = FakeRuntime<1>;
  using Second = FakeRuntime<2>;
  EXPECT_EQ(RegisterCustomOps(nullptr, &First::base), nullptr);
  EXPECT_EQ(RegisterCustomOps(nullptr, &First::base), nullptr);
  EXPECT_EQ(RegisterCustomOps(nullptr, &Second::base), nullptr);
  EXPECT_EQ(First::domains_created, 1);
  EXPECT_EQ(First::options_extended, 2);
  EXPECT_EQ(Second::domains_created, 1);
  EXPECT_EQ(Second::options_extended, 1);
  // Each for float32 and for float16.
  std::vector<std::string> names;
  std::vector<ONNXTensorElementDataType> types;
  std::vector<std::string> expected = {
      "ChannelLayerNormalization", "ChannelVarianceNormalization", "DepthwiseConv",
      "DepthwiseConvGate",         "DepthwiseConvGeluGate",        "LocalAveragePool",
      "LocalGroupNormalization",   "LocalInstanceNormalization",   "LocalWindowPartition",
      "LocalWindowMerge"};
  if (kProvider == nullptr) {
    expected.insert(
        expected.end(),
        {"LocalInstanceNormalizationLeakyRelu", "LocalHalfInstanceNormalizationLeakyRelu",
         "TransposedAttention", "TransposedAttentionPointwiseConvAdd", "LocalTransposedAttention",
         "LocalTransposedAttentionPointwiseConvAdd", "PointwiseConv", "PointwiseConvGate",
         "PointwiseConvAdd", "LayerNormPointwiseConv", "LayerNormPointwiseConvGate",
         "VarianceNormPointwiseConv"});
  }
  expected.push_back("ReplicateScale");
  for (const std::string& name : expected) {
    names.insert(names.end(), 2, name);
    types.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    types.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16);
  }
  EXPECT_EQ(First::op_names, names);
  EXPECT_EQ(First::types, types);
  EXPECT_EQ(Second::op_names, names);
}

TEST(TlscTarget, NamesWhatTheKernelsRunOn) {
  const std::string target = TlscTarget();
  if (kProvider == nullptr) {
    EXPECT_NE(target, "");
  } else {
    EXPECT_NE(target.find("sm_90"), std::string::npos) << target;
  }
}

}  // namespace
