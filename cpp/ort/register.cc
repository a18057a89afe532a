#include "ort/register.h"

#include <cstdio>
#include <map>
#include <memory>
#include <mutex>

#include "ort/channel_normalization_op.h"
#include "ort/custom_op.h"
#include "ort/depthwise_conv_op.h"
#include "ort/errors.h"
#include "ort/local_average_pool_op.h"
#include "ort/local_group_normalization_op.h"
#include "ort/local_instance_normalization_op.h"
#include "ort/local_window_merge_op.h"
#include "ort/local_window_partition_op.h"
#ifndef TLSC_CUDA
#include "ort/local_instance_normalization_leaky_relu_op.h"
#include "ort/pointwise_conv_op.h"
#include "ort/transposed_attention_op.h"
#endif
#include "ort/replicate_scale_op.h"

namespace tlsc::ort {
namespace {

// An operator for each element type. To ONNX Runtime custom operators of one name are one operator,
// of which it takes the one that the types of a node's inputs call for.
template <template <typename> typename Op>
class TypedOps {
 public:
  explicit TypedOps(const OrtApi& api) : float32_(api), float16_(api) {}

  void AddTo(const OrtApi& api, OrtCustomOpDomain* domain) {
    ThrowIfError(api, api.CustomOpDomain_Add(domain, &float32_));
    ThrowIfError(api, api.CustomOpDomain_Add(domain, &float16_));
  }

 private:
  CustomOp<Op<float>> float32_;
  CustomOp<Op<Float16>> float16_;
};

#ifndef TLSC_CUDA
// On cards the bodies of these run, whose products are cuBLAS's and cuDNN's, and which call
// operators that cards have.
class ProcessorOps {
 public:
  explicit ProcessorOps(const OrtApi& api)
      : normalization_(api),
        half_normalization_(api),
        attention_(api),
        attention_add_(api),
        local_attention_(api),
        local_attention_add_(api),
        plain_(api),
        gate_(api),
        add_(api),
        layer_norm_(api),
        layer_norm_gate_(api),
        variance_norm_(api) {}

  void AddTo(const OrtApi& api, OrtCustomOpDomain* domain) {
    normalization_.AddTo(api, domain);
    half_normalization_.AddTo(api, domain);
    attention_.AddTo(api, domain);
    attention_add_.AddTo(api, domain);
    local_attention_.AddTo(api, domain);
    local_attention_add_.AddTo(api, domain);
    plain_.AddTo(api, domain);
    gate_.AddTo(api, domain);
    add_.AddTo(api, domain);
    layer_norm_.AddTo(api, domain);
    layer_norm_gate_.AddTo(api, domain);
    variance_norm_.AddTo(api, domain);
  }

 private:
  TypedOps<LocalInstanceNormalizationLeakyReluOp> normalization_;
  TypedOps<LocalHalfInstanceNormalizationLeakyReluOp> half_normalization_;
  TypedOps<TransposedAttentionOp> attention_;
  TypedOps<TransposedAttentionPointwiseConvAddOp> attention_add_;
  TypedOps<LocalTransposedAttentionOp> local_attention_;
  TypedOps<LocalTransposedAttentionPointwiseConvAddOp> local_attention_add_;
  TypedOps<PointwiseConvOp> plain_;
  TypedOps<PointwiseConvGateOp> gate_;
  TypedOps<PointwiseConvAddOp> add_;
  TypedOps<LayerNormPointwiseConvOp> layer_norm_;
  TypedOps<LayerNormPointwiseConvGateOp> layer_norm_gate_;
  TypedOps<VarianceNormPointwiseConvOp> variance_norm_;
};
#else
class ProcessorOps {
 public:
  explicit ProcessorOps(const OrtApi&) {}
  void AddTo(const OrtApi&, OrtCustomOpDomain*) {}
};
#endif

// The domain and its operators as one ONNX Runtime knows them.
class Domain {
 public:
  explicit Domain(const OrtApi& api)
      : domain_(nullptr, api.ReleaseCustomOpDomain),
        channel_layer_normalization_(api),
        channel_variance_normalization_(api),
        depthwise_conv_(api),
        depthwise_conv_gate_(api),
        depthwise_conv_gelu_gate_(api),
        local_average_pool_(api),
        local_group_normalization_(api),
        local_instance_normalization_(api),
        local_window_partition_(api),
        local_window_merge_(api),
        of_processor_(api),
        replicate_scale_(api) {
    OrtCustomOpDomain* domain = nullptr;
    ThrowIfError(api, api.CreateCustomOpDomain("tlsc", &domain));
    domain_.reset(domain);
    channel_layer_normalization_.AddTo(api, domain);
    channel_variance_normalization_.AddTo(api, domain);
    depthwise_conv_.AddTo(api, domain);
    depthwise_conv_gate_.AddTo(api, domain);
    depthwise_conv_gelu_gate_.AddTo(api, domain);
    local_average_pool_.AddTo(api, domain);
    local_group_normalization_.AddTo(api, domain);
    local_instance_normalization_.AddTo(api, domain);
    local_window_partition_.AddTo(api, domain);
    local_window_merge_.AddTo(api, domain);
    of_processor_.AddTo(api, domain);
    replicate_scale_.AddTo(api, domain);
  }

  OrtCustomOpDomain* get() const { return domain_.get(); }

 private:
  std::unique_ptr<OrtCustomOpDomain, void(ORT_API_CALL*)(OrtCustomOpDomain*)> domain_;
  TypedOps<ChannelLayerNormalizationOp> channel_layer_normalization_;
  TypedOps<ChannelVarianceNormalizationOp> channel_variance_normalization_;
  TypedOps<DepthwiseConvOp> depthwise_conv_;
  TypedOps<DepthwiseConvGateOp> depthwise_conv_gate_;
  TypedOps<DepthwiseConvGeluGateOp> depthwise_conv_gelu_gate_;
  TypedOps<LocalAveragePoolOp> local_average_pool_;
  TypedOps<LocalGroupNormalizationOp> local_group_normalization_;
  TypedOps<LocalInstanceNormalizationOp> local_instance_normalization_;
  TypedOps<LocalWindowPartitionOp> local_window_partition_;
  TypedOps<LocalWindowMergeOp> local_window_merge_;
  ProcessorOps of_processor_;
  TypedOps<ReplicateScaleOp> replicate_scale_;
};

// One Domain per ONNX Runtime, as a process may hold several of them, each with its own OrtApi.
// Never freed, on purpose: sessions point into it, and nothing says when the last one is gone; some
// programs release theirs in static destructors, after ours would have run.
const Domain& DomainFor(const OrtApi& api) {
  static std::mutex& mutex = *new std::mutex;
  static auto& domains = *new std::map<const OrtApi*, Domain>;
  const std::lock_guard<std::mutex> lock(mutex);
  return domains.try_emplace(&api, api).first->second;
}

// Answers a runtime that is too old, through the newest API that it does have. Creating a status
// has been the first entry of that table since version 1.
OrtStatus* ReportTooOld(const OrtApiBase& api_base) {
  for (uint32_t version = kOrtApiVersion - 1; version >= 1; --version) {
    if (const OrtApi* api = api_base.GetApi(version)) {
      char message[128];
      std::snprintf(message, sizeof(message), "expected ONNX Runtime 1.21 or later, received %s",
                    api_base.GetVersionString());
      return MakeOrtStatus(*api, "RegisterCustomOps", StatusCode::kInternal, message);
    }
  }
  return nullptr;  // no API at all, hence no way to say so
}

}  // namespace
}  // namespace tlsc::ort

OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* api_base) {
  using namespace tlsc::ort;
  const OrtApi* api = api_base->GetApi(kOrtApiVersion);
  if (api == nullptr) return ReportTooOld(*api_base);
  return Guard(*api, "RegisterCustomOps",
               [&] { ThrowIfError(*api, api->AddCustomOpDomain(options, DomainFor(*api).get())); });
}

const char* TlscTarget() { return tlsc::ort::kernels::TargetName(); }
