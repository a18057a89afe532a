#include "gate/operators.h"

#include <algorithm>
#include <optional>

#include "gate/facts.h"
#include "gate/follow.h"
#include "gate/functions.h"
#include "gate/refusal.h"

// Each form here was seen to crash ONNX Runtime 1.30, or to let it write past its memory, when it
// loads or runs the model. None is one that exporters are known to write, but for scales that are
// computed, which are let through where their number can be told.
namespace tlsc::gate {
namespace {

template <typename List>
bool IsIn(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// Operators that take any number of inputs, each of which must be there.
constexpr std::string_view kTakeAnyNumber[] = {
    "Concat", "Einsum", "Max", "Mean", "Min", "Scan", "SequenceConstruct", "Sum"};

// Domains of nodes that ONNX Runtime puts in the place of others when it loads a model.
constexpr std::string_view kOwnDomains[] = {"com.microsoft.nchwc", "com.ms.internal.nhwc"};

// What no network of images is made of, and ONNX Runtime checks little of: tables, text, training.
constexpr std::string_view kOtherDomains[] = {"ai.onnx.ml", "ai.onnx.preview.training",
                                              "ai.onnx.training", "com.microsoft.experimental",
                                              "org.pytorch.aten"};

// Of ONNX Runtime's own operators, some of which trust whatever they are given: those that
// exporters and its tools (optimizers, quantization) write into networks of images.
constexpr std::string_view kContributedDomain = "com.microsoft";
constexpr std::string_view kContributed[] = {"Attention",
                                             "BiasAdd",
                                             "BiasDropout",
                                             "BiasGelu",
                                             "BiasSoftmax",
                                             "BiasSplitGelu",
                                             "DequantizeLinear",
                                             "DynamicQuantizeMatMul",
                                             "FastGelu",
                                             "FusedConv",
                                             "FusedGemm",
                                             "FusedMatMul",
                                             "FusedMatMulActivation",
                                             "Gelu",
                                             "GridSample",
                                             "GroupNorm",
                                             "Irfft",
                                             "LayerNormalization",
                                             "MatMulBnb4",
                                             "MatMulFpQ4",
                                             "MatMulInteger16",
                                             "MatMulIntegerToFloat",
                                             "MatMulNBits",
                                             "MultiHeadAttention",
                                             "NhwcConv",
                                             "NhwcFusedConv",
                                             "NhwcMaxPool",
                                             "QAttention",
                                             "QGemm",
                                             "QLinearAdd",
                                             "QLinearAveragePool",
                                             "QLinearConcat",
                                             "QLinearConv",
                                             "QLinearGlobalAveragePool",
                                             "QLinearLeakyRelu",
                                             "QLinearMul",
                                             "QLinearReduceMean",
                                             "QLinearSigmoid",
                                             "QLinearSoftmax",
                                             "QLinearWhere",
                                             "QuantizeLinear",
                                             "QuickGelu",
                                             "Rfft",
                                             "RotaryEmbedding",
                                             "SimplifiedLayerNormalization",
                                             "SkipGroupNorm",
                                             "SkipLayerNormalization",
                                             "SkipSimplifiedLayerNormalization",
                                             "TransposeMatMul",
                                             "Trilu"};

// Attributes that name an axis, or count some.
constexpr std::string_view kOfAxes[] = {"axes", "axis", "batch_dims"};
constexpr int64_t kMostAxes = 64;

// Attributes that ONNX Runtime divides by.
constexpr std::string_view kOfParts[] = {"group", "kv_num_heads", "num_groups", "num_heads",
                                         "q_num_heads"};

constexpr int64_t kMostBlockSize = 4096;

// Scales go to a place that is as long as the image has axes, five at least, before ONNX Runtime
// looks how many they are.
constexpr uint64_t kMostScales = 5;

[[noreturn]] void RefuseNode(const Node& node, const std::string& why) {
  Refuse("has a node " + LabelOf(node) + " (" + Shown(node.op_type) + ") " + why);
}

void CheckAxes(const Node& node) {
  const auto is_far = [](int64_t axis) { return axis < -kMostAxes || axis > kMostAxes; };
  const auto has_far = [&](const Attribute& of) {
    return of.integers > 0 && (is_far(of.lowest_integer) || is_far(of.highest_integer));
  };
  for (const Attribute& attribute : node.attributes) {
    if (!IsIn(kOfAxes, attribute.name)) continue;
    // Others count from the back where they are below 0.
    const bool is_below = attribute.name == "batch_dims" && attribute.integer.value_or(0) < 0;
    if (is_below || is_far(attribute.integer.value_or(0)) || has_far(attribute)) {
      RefuseNode(node, "whose " + std::string(attribute.name) + " is beyond all axes");
    }
  }
}

void CheckParts(const Node& node) {
  for (const Attribute& attribute : node.attributes) {
    if (IsIn(kOfParts, attribute.name) && attribute.integer.value_or(1) < 1) {
      RefuseNode(node, "whose " + std::string(attribute.name) + " is below 1");
    }
  }
}

// Its square is what ONNX Runtime divides by.
void CheckBlockSize(const Node& node) {
  const Attribute* const size = FindAttribute(node, "blocksize");
  if (size != nullptr && size->integer.value_or(0) > kMostBlockSize) {
    RefuseNode(node, "whose blocksize is beyond all images");
  }
}

void CheckSplit(const Node& node) {
  if (IsIn(node.outputs, "")) RefuseNode(node, "that leaves out one of its parts");
  const Attribute* const count = FindAttribute(node, "num_outputs");
  if (count == nullptr) return;
  if (!count->reference.empty() ||
      count->integer.value_or(0) != static_cast<int64_t>(node.outputs.size())) {
    RefuseNode(node, "that has not as many parts as it says");
  }
}

void CheckScales(const Step& step) {
  const Node& node = step.node;
  // The first Resize had no region of interest before its scales.
  const size_t place = node.op_type == "Resize" && node.inputs.size() > 2 ? 2 : 1;
  if (node.inputs.size() <= place || node.inputs[place].empty()) return;
  const std::optional<uint64_t> count = step.inputs[place].extent.count;
  if (!count) RefuseNode(node, "whose number of scales cannot be told");
  if (*count > kMostScales) RefuseNode(node, "with more scales than an image has axes");
}

bool TakesGraph(std::string_view op_type, std::string_view attribute) {
  if (op_type == "If") return attribute == "then_branch" || attribute == "else_branch";
  return attribute == "body" &&
         (op_type == "Loop" || op_type == "Scan" || op_type == "SequenceMap");
}

// ONNX Runtime makes a graph of its own of any that it meets, wherever that is.
void CheckGraphs(const Node& node) {
  const bool is_of_onnx = NormalDomain(node.domain).empty();
  for (const Attribute& attribute : node.attributes) {
    if (attribute.graphs.empty() || (is_of_onnx && TakesGraph(node.op_type, attribute.name)))
      continue;
    RefuseNode(node, "with a graph that it does not take, " + Shown(attribute.name));
  }
}

void CheckDomain(const Node& node) {
  const bool is_known = node.domain == kContributedDomain ? IsIn(kContributed, node.op_type)
                                                          : !IsIn(kOtherDomains, node.domain);
  if (is_known) return;
  RefuseAsUnsupported("has a node " + LabelOf(node) + " (" + Shown(node.op_type) + " of " +
                      Shown(node.domain) +
                      "), an operator that no network of images is known to use");
}

void CheckForm(const Node& node) {
  CheckDomain(node);
  // Whatever its domain, ONNX Runtime takes it for its own.
  if (node.op_type == "Constant" && !NormalDomain(node.domain).empty()) {
    RefuseNode(node, "of another domain than ONNX's");
  }
  if (IsIn(kOwnDomains, node.domain)) {
    RefuseNode(node,
               "of a domain that is ONNX Runtime's own; take the model before it was optimized");
  }
  CheckAxes(node);
  CheckParts(node);
  if (!NormalDomain(node.domain).empty()) return;
  CheckBlockSize(node);
  if (node.op_type == "Split") CheckSplit(node);
  if (IsIn(kTakeAnyNumber, node.op_type) && IsIn(node.inputs, "")) {
    RefuseNode(node, "that leaves out one of its inputs");
  }
}

// What the node is given may be of no form that it crashes on.
void CheckInputs(const Step& step) {
  const std::string_view op_type = step.node.op_type;
  const bool scales = op_type == "Resize" || op_type == "Upsample";
  if (scales && NormalDomain(step.node.domain).empty()) CheckScales(step);
}

}  // namespace

void CheckOperators(const Model& model, const std::atomic<bool>& cancelled) {
  const Functions functions(model);
  ForEachNode(model, [&](const Node& node) {
    CheckForm(node);
    if (functions.CalledBy(node) == nullptr) CheckGraphs(node);
  });
  FollowFacts(model, CheckInputs, cancelled);
}

}  // namespace tlsc::gate
