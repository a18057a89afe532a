#include "gate/results.h"

#include <algorithm>

#include "gate/types.h"

namespace tlsc::gate {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// How far the outputs of an operator reach at the most, for those that nothing more is known of.
// What is not in the table reaches anywhere.
enum class Reach {
  kAsFirst,   // every output no farther than the first input
  kSameAxes,  // the first output has no more axes than the first input
  kMatched,   // the first output: as inputs whose shapes are matched to each other
};

const std::unordered_map<std::string_view, Reach>& Reaches() {
  static const auto* const reaches = [] {
    auto* const all = new std::unordered_map<std::string_view, Reach>;
    const auto add = [all](Reach reach, std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) all->emplace(name, reach);
    };
    add(Reach::kAsFirst, {"Abs",
                          "Acos",
                          "Acosh",
                          "Asin",
                          "Asinh",
                          "Atan",
                          "Atanh",
                          "BitwiseNot",
                          "Cast",
                          "CastLike",
                          "Ceil",
                          "Celu",
                          "Clip",
                          "Cos",
                          "Cosh",
                          "CumSum",
                          "DepthToSpace",
                          "Elu",
                          "Erf",
                          "Exp",
                          "Floor",
                          "Gelu",
                          "HardSigmoid",
                          "HardSwish",
                          "Hardmax",
                          "Identity",
                          "IsInf",
                          "IsNaN",
                          "LRN",
                          "LeakyRelu",
                          "Log",
                          "LogSoftmax",
                          "LpNormalization",
                          "MeanVarianceNormalization",
                          "Mish",
                          "Neg",
                          "Not",
                          "Reciprocal",
                          "Relu",
                          "ReverseSequence",
                          "Round",
                          "Selu",
                          "Sigmoid",
                          "Sign",
                          "Sin",
                          "Sinh",
                          "Softmax",
                          "Softplus",
                          "Softsign",
                          "SpaceToDepth",
                          "Split",
                          "Sqrt",
                          "Squeeze",
                          "Tan",
                          "Tanh",
                          "ThresholdedRelu",
                          "Transpose",
                          "Trilu"});
    add(Reach::kSameAxes, {"AveragePool",
                           "BatchNormalization",
                           "Conv",
                           "ConvTranspose",
                           "DeformConv",
                           "GlobalAveragePool",
                           "GlobalLpPool",
                           "GlobalMaxPool",
                           "GridSample",
                           "GroupNormalization",
                           "InstanceNormalization",
                           "LayerNormalization",
                           "LpPool",
                           "MaxPool",
                           "Pad",
                           "RMSNormalization",
                           "ReduceL1",
                           "ReduceL2",
                           "ReduceLogSum",
                           "ReduceLogSumExp",
                           "ReduceMax",
                           "ReduceMean",
                           "ReduceMin",
                           "ReduceProd",
                           "ReduceSum",
                           "ReduceSumSquare",
                           "Resize",
                           "Scatter",
                           "ScatterElements",
                           "ScatterND",
                           "Tile",
                           "Upsample"});
    add(Reach::kMatched, {"Add",
                          "And",
                          "BitShift",
                          "BitwiseAnd",
                          "BitwiseOr",
                          "BitwiseXor",
                          "DequantizeLinear",
                          "Div",
                          "Equal",
                          "Greater",
                          "GreaterOrEqual",
                          "Less",
                          "LessOrEqual",
                          "Max",
                          "Mean",
                          "Min",
                          "Mod",
                          "Mul",
                          "Or",
                          "PRelu",
                          "Pow",
                          "Sub",
                          "Sum",
                          "Xor"});
    return all;
  }();
  return *reaches;
}

// Of these the outputs have numbers of the first input alone.
bool KeepsNumbers(std::string_view op_type) {
  return op_type == "Identity" || op_type == "Squeeze" || op_type == "Transpose" ||
         op_type == "Split";
}

// Values with one axis at the most.
bool IsList(const Extent& extent) { return extent.axes && *extent.axes <= 1; }

Fact OfIntegers(const Attribute& attribute) {
  const Extent extent = {1, attribute.integers};
  if (attribute.integers == 0) return Reaching(Fact(), extent);
  return {extent, attribute.lowest_integer, attribute.highest_integer};
}

// ONNX Runtime goes by the type of the attribute, whatever its name.
Fact OfConstant(const Step& step) {
  if (step.node.attributes.size() != 1) return {};
  const Attribute* const value = Resolve(step.node.attributes.front(), step.of_call);
  if (value == nullptr) return {};
  switch (value->type) {
    case kAttributeFloat:
    case kAttributeString:
      return Reaching(Fact(), {0, 1});
    case kAttributeFloats:
      return Reaching(Fact(), {1, value->floats});
    case kAttributeInt:
      return {{0, 1}, value->integer.value_or(0), value->integer.value_or(0)};
    case kAttributeInts:
      return OfIntegers(*value);
    case kAttributeTensor:
      return value->tensors.size() == 1 ? FactOf(value->tensors.front()) : Fact();
    default:
      return {};
  }
}

Fact OfConstantOfShape(const Step& step) {
  const Fact shape = step.Input(0);
  const bool is_list = shape.extent.count == 1 && shape.highest >= 0;
  const auto count = is_list ? std::optional<uint64_t>(shape.highest) : std::nullopt;
  return Reaching(Fact(), {shape.extent.count, count});
}

Fact Behind(const Fact& a, const Fact& b) {
  Fact fact = Either(a, b);
  const std::optional<uint64_t> in_a = a.extent.count;
  const std::optional<uint64_t> in_b = b.extent.count;
  // A length beyond what tensors have is none.
  const bool is_sure = in_a && in_b && *in_a < UINT32_MAX && *in_b < UINT32_MAX;
  fact.extent.count = is_sure ? std::optional<uint64_t>(*in_a + *in_b) : std::nullopt;
  return fact;
}

// Of lists the places of the indices are taken; others may have any number of values at each.
Fact OfGather(const Step& step) {
  const Fact from = step.Input(0);
  return Reaching(from, IsList(from.extent) ? step.Input(1).extent : Extent());
}

Fact OfReshape(const Step& step) {
  const Fact from = step.Input(0);
  return Reaching(from, {step.Input(1).extent.count, from.extent.count});
}

// The whole numbers of an input, or of the attribute that it took the place of.
Fact NumbersOf(const Step& step, std::string_view attribute, size_t place) {
  const Attribute* const given = step.Find(attribute);
  if (place < step.inputs.size() || given == nullptr || given->integers == 0) {
    return step.Input(place);
  }
  return OfIntegers(*given);
}

// How many numbers there are at most from one place of a list up to another.
std::optional<uint64_t> CountBetween(const Fact& start, const Fact& end) {
  // Both from the front, or both from the back.
  if ((start.lowest >= 0 && end.lowest >= 0) || (start.highest < 0 && end.highest < 0)) {
    if (start.lowest == kLeast) return std::nullopt;
    return end.highest > start.lowest ? end.highest - start.lowest : 0;
  }
  // From the back on there are as many as the place says.
  if (start.highest < 0 && start.lowest > -kMost) return -start.lowest;
  return std::nullopt;
}

// As above, from the first place on to the end of a list of at most `all`.
std::optional<uint64_t> CountFrom(const Fact& start, const std::optional<uint64_t>& all) {
  if (!all || start.lowest < 0) return std::nullopt;
  const auto before = static_cast<uint64_t>(start.lowest);
  return before < *all ? *all - before : 0;
}

Fact OfSlice(const Step& step) {
  Fact fact = step.Input(0);
  const bool is_forward =
      step.inputs.size() <= 4 || step.node.inputs[4].empty() || step.inputs[4].lowest > 0;
  if (!IsList(fact.extent) || !is_forward) return fact;
  const Fact start = NumbersOf(step, "starts", 1);
  std::optional<uint64_t>& count = fact.extent.count;
  for (const auto& fewer :
       {CountFrom(start, count), CountBetween(start, NumbersOf(step, "ends", 2))}) {
    if (fewer && (!count || *fewer < *count)) count = fewer;
  }
  return fact;
}

Fact OfUnsqueeze(const Step& step) {
  Fact fact = step.Input(0);
  const std::optional<uint64_t> added = NumbersOf(step, "axes", 1).extent.count;
  const bool is_sure = fact.extent.axes && added && *added < UINT32_MAX;
  fact.extent.axes = is_sure ? std::optional<uint64_t>(*fact.extent.axes + *added) : std::nullopt;
  return fact;
}

Fact OfExpand(const Step& step) {
  return Reaching(Fact(),
                  {Larger(step.Input(0).extent.axes, step.Input(1).extent.count), std::nullopt});
}

Fact OfMatMul(const Step& step) {
  return Reaching(Fact(),
                  {Larger(step.Input(0).extent.axes, step.Input(1).extent.axes), std::nullopt});
}

Fact OfWhere(const Step& step) {
  const Extent extent =
      Broadcast(step.Input(0).extent, Broadcast(step.Input(1).extent, step.Input(2).extent));
  return Reaching(Either(step.Input(1), step.Input(2)), extent);
}

Fact OfConcat(const Step& step) {
  Fact fact = step.Input(0);
  for (size_t i = 1; i < step.inputs.size(); ++i) fact = Behind(fact, step.inputs[i]);
  return fact;
}

using Computation = Fact (*)(const Step&);

// Of the first output.
const std::unordered_map<std::string_view, Computation>& Computations() {
  static const auto* const computations = new std::unordered_map<std::string_view, Computation>{
      {"Concat", OfConcat},
      {"Constant", OfConstant},
      {"ConstantOfShape", OfConstantOfShape},
      {"Expand", OfExpand},
      {"Flatten",
       [](const Step& step) {
         return Reaching(step.Input(0), {2, step.Input(0).extent.count});
       }},
      {"Gather", OfGather},
      {"GatherElements", [](const Step& step) { return Reaching(Fact(), step.Input(1).extent); }},
      {"Gemm",
       [](const Step&) {
         return Reaching(Fact(), {2, std::nullopt});
       }},
      {"MatMul", OfMatMul},
      {"Range",
       [](const Step&) {
         return Reaching(Fact(), {1, std::nullopt});
       }},
      {"Reshape", OfReshape},
      {"Shape",
       [](const Step& step) {
         return Fact{{1, step.Input(0).extent.axes}, 0, kMost};
       }},
      {"Size",
       [](const Step&) {
         return Fact{{0, 1}, 0, kMost};
       }},
      {"Slice", OfSlice},
      {"Unsqueeze", OfUnsqueeze},
      {"Where", OfWhere}};
  return *computations;
}

Extent MatchedInputs(const Step& step) {
  Extent extent = step.Input(0).extent;
  for (const Fact& input : step.inputs) extent = Broadcast(extent, input.extent);
  return extent;
}

}  // namespace

const Attribute* Resolve(const Attribute& attribute, const Attributes* of_call) {
  if (attribute.reference.empty()) return &attribute;
  if (of_call == nullptr) return nullptr;
  const auto found = of_call->find(attribute.reference);
  return found == of_call->end() ? nullptr : found->second;
}

const Attribute* Step::Find(std::string_view name) const {
  const Attribute* const attribute = FindAttribute(node, name);
  return attribute == nullptr ? nullptr : Resolve(*attribute, of_call);
}

std::vector<Fact> ResultsOf(const Step& step) {
  std::vector<Fact> results(step.node.outputs.size());
  const std::string_view op_type = step.node.op_type;
  if (results.empty() || !NormalDomain(step.node.domain).empty()) return results;
  const auto computation = Computations().find(op_type);
  if (computation != Computations().end()) {
    results[0] = computation->second(step);
    return results;
  }
  const auto reach = Reaches().find(op_type);
  if (reach == Reaches().end()) return results;
  const Fact first = step.Input(0);
  switch (reach->second) {
    case Reach::kAsFirst:
      std::fill(results.begin(), results.end(),
                KeepsNumbers(op_type) ? first : Reaching(Fact(), first.extent));
      break;
    case Reach::kSameAxes:
      results[0].extent.axes = first.extent.axes;
      break;
    case Reach::kMatched:
      results[0].extent = MatchedInputs(step);
      break;
  }
  return results;
}

}  // namespace tlsc::gate
