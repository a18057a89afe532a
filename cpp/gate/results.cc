#include "gate/results.h"

#include <algorithm>

namespace tlsc::gate {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// What all operators of a kind have in common; those with arithmetic of their own are below.
enum class Kind {
  kFloats,     // every output is of floating point
  kTruths,     // the first output is true or false
  kPlaces,     // the first output counts, or names places: 0 or more
  kSame,       // the first output has the numbers of the first input, and as many
  kSome,       // every output has numbers of the first input alone
  kFirstType,  // the first output has the type of the first input
};

const std::unordered_map<std::string_view, Kind>& Kinds() {
  static const auto* const kinds = [] {
    auto* const all = new std::unordered_map<std::string_view, Kind>;
    const auto add = [all](Kind kind, std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) all->emplace(name, kind);
    };
    add(Kind::kFloats, {"Acos",
                        "Acosh",
                        "Asin",
                        "Asinh",
                        "Atan",
                        "Atanh",
                        "AveragePool",
                        "BatchNormalization",
                        "Ceil",
                        "Celu",
                        "Conv",
                        "ConvTranspose",
                        "Cos",
                        "Cosh",
                        "DeformConv",
                        "DequantizeLinear",
                        "Elu",
                        "Erf",
                        "Exp",
                        "Floor",
                        "GRU",
                        "Gelu",
                        "GlobalAveragePool",
                        "GlobalLpPool",
                        "GlobalMaxPool",
                        "GroupNormalization",
                        "HardSigmoid",
                        "HardSwish",
                        "Hardmax",
                        "InstanceNormalization",
                        "LRN",
                        "LSTM",
                        "LayerNormalization",
                        "LeakyRelu",
                        "Log",
                        "LogSoftmax",
                        "LpNormalization",
                        "LpPool",
                        "Mean",
                        "MeanVarianceNormalization",
                        "Mish",
                        "RMSNormalization",
                        "RNN",
                        "Reciprocal",
                        "RoiAlign",
                        "Round",
                        "Selu",
                        "Sigmoid",
                        "Sin",
                        "Sinh",
                        "Softmax",
                        "Softplus",
                        "Softsign",
                        "Sqrt",
                        "Sum",
                        "Tan",
                        "Tanh",
                        "ThresholdedRelu"});
    add(Kind::kTruths, {"And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less",
                        "LessOrEqual", "Not", "Or", "Xor"});
    add(Kind::kPlaces, {"ArgMax", "ArgMin", "NonZero", "Shape", "Size"});
    add(Kind::kSame, {"DepthToSpace", "Flatten", "Identity", "Reshape", "ReverseSequence",
                      "SpaceToDepth", "Squeeze", "Transpose", "Unsqueeze"});
    add(Kind::kSome,
        {"Compress", "Expand", "Gather", "GatherElements", "GatherND", "Slice", "Split", "Tile"});
    add(Kind::kFirstType, {"BitShift",
                           "BitwiseAnd",
                           "BitwiseNot",
                           "BitwiseOr",
                           "BitwiseXor",
                           "CumSum",
                           "Einsum",
                           "Gemm",
                           "GridSample",
                           "MatMul",
                           "MaxPool",
                           "PRelu",
                           "Pad",
                           "Pow",
                           "ReduceL1",
                           "ReduceL2",
                           "ReduceLogSum",
                           "ReduceLogSumExp",
                           "ReduceMean",
                           "ReduceSumSquare",
                           "Resize",
                           "Scatter",
                           "ScatterElements",
                           "ScatterND",
                           "Trilu",
                           "Upsample"});
    return all;
  }();
  return *kinds;
}

// Not more than this many factors are looked at.
constexpr uint64_t kMostFactors = 64;

Fact OfConstant(const Step& step) {
  if (step.node.attributes.size() != 1) return {};
  const Attribute* const value = Resolve(step.node.attributes.front(), step.of_call);
  if (value == nullptr) return {};
  const std::string_view name = step.node.attributes.front().name;
  Fact fact;
  if (name == "value" && value->tensors.size() == 1) return FactOf(value->tensors.front());
  if (name == "value_int" && value->integer) {
    fact = Between(kInt64, *value->integer, *value->integer);
    fact.count = 1;
  } else if (name == "value_ints" && !value->integers.empty()) {
    const auto [lowest, highest] =
        std::minmax_element(value->integers.begin(), value->integers.end());
    fact = Between(kInt64, *lowest, *highest);
    fact.count = value->integers.size();
  } else if (name == "value_float") {
    fact = AnyOf(kFloat);
    fact.count = 1;
  } else if (name == "value_floats") {
    fact = AnyOf(kFloat);
    fact.count = value->floats;
  }
  return fact;
}

Fact OfConstantOfShape(const Step& step) {
  Fact fact = AnyOf(kFloat);
  if (FindAttribute(step.node, "value") != nullptr) {
    const Attribute* const value = step.Find("value");
    fact = value == nullptr || value->tensors.size() != 1 ? Fact() : FactOf(value->tensors.front());
  }
  fact.count.reset();
  return fact;
}

Fact OfCast(const Step& step) {
  const Attribute* const to = step.Find("to");
  const int64_t type = to == nullptr ? kUndefined : to->integer.value_or(kUndefined);
  // Its numbers end at 32 bits; a wrong one is refused by ONNX Runtime.
  return Converted(step.Input(0), static_cast<int32_t>(type));
}

Fact OfMod(const Step& step) {
  const Fact fact = Mod(step.Input(0), step.Input(1));
  if (FindAttribute(step.node, "fmod") == nullptr) return fact;
  // The sign may be that of the dividend.
  Fact any = AnyOf(fact.type);
  any.count = fact.count;
  return any;
}

Fact OfClip(const Step& step) {
  Fact fact = step.Input(0);
  const auto limits = [&](size_t place) {
    return place < step.node.inputs.size() && !step.node.inputs[place].empty();
  };
  if (limits(1)) fact = Max(fact, step.Input(1));
  if (limits(2)) fact = Min(fact, step.Input(2));
  fact.count = step.Input(0).count;
  return fact;
}

// The numbers start at one and end before another.
Fact OfRange(const Step& step) {
  // Up to here they are counted without rounding.
  constexpr int64_t kExact = int64_t{1} << 52;
  Fact fact = Either(step.Input(0), step.Input(1));
  if (fact.lowest < -kExact || fact.highest > kExact) fact = AnyOf(fact.type);
  fact.count.reset();
  return fact;
}

// Numbers of the input, some of them taken together.
Fact OfReduction(const Step& step) {
  const Fact from = step.Input(0);
  const std::string_view name = step.node.op_type;
  if (!from.count || *from.count == 0 || *from.count > kMostFactors) {
    // Of none: the smallest number of the type, or the largest.
    if (name == "ReduceMax") return OrSmallest(Between(from.type, from.lowest, from.highest));
    if (name == "ReduceMin") return Between(from.type, from.lowest, AnyOf(from.type).highest);
    return AnyOf(from.type);
  }
  Fact fact = from;
  if (name == "ReduceSum" || name == "ReduceProd") {
    for (uint64_t i = 1; i < *from.count; ++i) {
      fact = Either(fact, name == "ReduceSum" ? Add(fact, from) : Mul(fact, from));
    }
  }
  fact.count.reset();
  return fact;
}

Fact OfMany(const Step& step, Fact (*join)(const Fact&, const Fact&)) {
  Fact fact = step.Input(0);
  for (size_t i = 1; i < step.inputs.size(); ++i) fact = join(fact, step.inputs[i]);
  return fact;
}

Fact Behind(const Fact& a, const Fact& b) {
  Fact fact = Either(a, b);
  fact.count.reset();
  // A length beyond what tensors have is none.
  if (a.count && b.count && *a.count < UINT32_MAX && *b.count < UINT32_MAX) {
    fact.count = *a.count + *b.count;
  }
  return fact;
}

Fact OfWhere(const Step& step) {
  Fact fact = Either(step.Input(1), step.Input(2));
  fact.count.reset();
  return fact;
}

using Computation = Fact (*)(const Step&);

// The operators whose first output is computed number by number.
const std::unordered_map<std::string_view, Computation>& Computations() {
  static const auto* const computations = new std::unordered_map<std::string_view, Computation>{
      {"Abs", [](const Step& step) { return Abs(step.Input(0)); }},
      {"Add", [](const Step& step) { return Add(step.Input(0), step.Input(1)); }},
      {"Cast", OfCast},
      {"CastLike", [](const Step& step) { return Converted(step.Input(0), step.Input(1).type); }},
      {"Clip", OfClip},
      {"Concat", [](const Step& step) { return OfMany(step, Behind); }},
      {"Constant", OfConstant},
      {"ConstantOfShape", OfConstantOfShape},
      {"Div", [](const Step& step) { return Div(step.Input(0), step.Input(1)); }},
      {"Max", [](const Step& step) { return OfMany(step, Max); }},
      {"Min", [](const Step& step) { return OfMany(step, Min); }},
      {"Mod", OfMod},
      {"Mul", [](const Step& step) { return Mul(step.Input(0), step.Input(1)); }},
      {"Neg",
       [](const Step& step) { return Sub(Between(step.Input(0).type, 0, 0), step.Input(0)); }},
      {"Range", OfRange},
      {"ReduceMax", OfReduction},
      {"ReduceMin", OfReduction},
      {"ReduceProd", OfReduction},
      {"ReduceSum", OfReduction},
      {"Relu",
       [](const Step& step) { return Max(step.Input(0), Between(step.Input(0).type, 0, 0)); }},
      {"Sign", [](const Step& step) { return Between(step.Input(0).type, -1, 1); }},
      {"Sub", [](const Step& step) { return Sub(step.Input(0), step.Input(1)); }},
      {"Where", OfWhere}};
  return *computations;
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
  if (results.empty() || !NormalDomain(step.node.domain).empty()) return results;
  const auto computation = Computations().find(step.node.op_type);
  if (computation != Computations().end()) {
    results[0] = computation->second(step);
    return results;
  }
  const auto kind = Kinds().find(step.node.op_type);
  if (kind == Kinds().end()) return results;
  const Fact first = step.Input(0);
  Fact some = first;
  some.count.reset();
  switch (kind->second) {
    case Kind::kFloats:
      std::fill(results.begin(), results.end(), AnyOf(kFloat));
      break;
    case Kind::kTruths:
      results[0] = AnyOf(kBool);
      break;
    case Kind::kPlaces:
      results[0] = Between(kInt64, 0, kMost);
      break;
    case Kind::kSame:
      results[0] = first;
      break;
    case Kind::kSome:
      std::fill(results.begin(), results.end(), some);
      break;
    case Kind::kFirstType:
      results[0] = AnyOf(first.type);
      break;
  }
  return results;
}

}  // namespace tlsc::gate
