#include "gate/results.h"

#include <algorithm>

namespace tlsc::gate {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// The numbers of an operator's outputs, for those without arithmetic of their own below.
enum class Numbers {
  kFloats,     // of every output: floating point
  kTruths,     // of the first output: true or false
  kPlaces,     // of the first output: counts, or places: 0 or more
  kSome,       // of every output: numbers of the first input
  kFirstType,  // of the first output: of the type of the first input
};

// How far the outputs reach. `kAsFirst` is said of every output that has such numbers, the others
// of the first alone.
enum class Reach {
  kAny,
  kAsFirst,   // no farther than the first input
  kSameAxes,  // no more axes than the first input
  kMatched,   // as inputs whose shapes are matched to each other
};

struct Kind {
  Numbers numbers;
  Reach reach;
};

const std::unordered_map<std::string_view, Kind>& Kinds() {
  static const auto* const kinds = [] {
    auto* const all = new std::unordered_map<std::string_view, Kind>;
    const auto add = [all](Numbers numbers, Reach reach,
                           std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) all->emplace(name, Kind{numbers, reach});
    };
    add(Numbers::kFloats, Reach::kAsFirst,
        {"Acos",
         "Acosh",
         "Asin",
         "Asinh",
         "Atan",
         "Atanh",
         "Ceil",
         "Celu",
         "Cos",
         "Cosh",
         "Elu",
         "Erf",
         "Exp",
         "Floor",
         "Gelu",
         "HardSigmoid",
         "HardSwish",
         "Hardmax",
         "LRN",
         "LeakyRelu",
         "Log",
         "LogSoftmax",
         "LpNormalization",
         "MeanVarianceNormalization",
         "Mish",
         "Reciprocal",
         "Round",
         "Selu",
         "Sigmoid",
         "Sin",
         "Sinh",
         "Softmax",
         "Softplus",
         "Softsign",
         "Sqrt",
         "Tan",
         "Tanh",
         "ThresholdedRelu"});
    add(Numbers::kFloats, Reach::kSameAxes,
        {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "DeformConv",
         "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "GroupNormalization",
         "InstanceNormalization", "LayerNormalization", "LpPool", "RMSNormalization"});
    add(Numbers::kFloats, Reach::kMatched, {"DequantizeLinear", "Mean", "Sum"});
    add(Numbers::kFloats, Reach::kAny, {"GRU", "LSTM", "RNN", "RoiAlign"});
    add(Numbers::kTruths, Reach::kMatched,
        {"And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual",
         "Not", "Or", "Xor"});
    add(Numbers::kPlaces, Reach::kAny, {"ArgMax", "ArgMin", "NonZero"});
    add(Numbers::kSome, Reach::kAsFirst,
        {"DepthToSpace", "Identity", "ReverseSequence", "SpaceToDepth", "Split", "Squeeze",
         "Transpose"});
    add(Numbers::kSome, Reach::kAny, {"Compress", "Expand", "GatherElements", "GatherND", "Tile"});
    add(Numbers::kFirstType, Reach::kAsFirst, {"BitwiseNot", "CumSum", "Trilu"});
    add(Numbers::kFirstType, Reach::kMatched,
        {"BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "PRelu", "Pow"});
    add(Numbers::kFirstType, Reach::kSameAxes,
        {"GridSample", "MaxPool", "Pad", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
         "ReduceMean", "ReduceSumSquare", "Resize", "Scatter", "ScatterElements", "ScatterND",
         "Upsample"});
    add(Numbers::kFirstType, Reach::kAny, {"Einsum", "Gemm", "MatMul"});
    return all;
  }();
  return *kinds;
}

// Not more than this many factors are looked at.
constexpr uint64_t kMostFactors = 64;

// Values with one axis at the most.
bool IsList(const Extent& extent) { return extent.axes && *extent.axes <= 1; }

Fact One(int32_t type, int64_t number) { return Reaching(Between(type, number, number), {0, 1}); }

Fact OfConstant(const Step& step) {
  if (step.node.attributes.size() != 1) return {};
  const Attribute* const value = Resolve(step.node.attributes.front(), step.of_call);
  if (value == nullptr) return {};
  const std::string_view name = step.node.attributes.front().name;
  Fact fact;
  if (name == "value" && value->tensors.size() == 1) return FactOf(value->tensors.front());
  if (name == "value_int" && value->integer) {
    fact = One(kInt64, *value->integer);
  } else if (name == "value_ints" && !value->integers.empty()) {
    const auto [lowest, highest] =
        std::minmax_element(value->integers.begin(), value->integers.end());
    fact = Reaching(Between(kInt64, *lowest, *highest), {1, value->integers.size()});
  } else if (name == "value_float") {
    fact = Reaching(AnyOf(kFloat), {0, 1});
  } else if (name == "value_floats") {
    fact = Reaching(AnyOf(kFloat), {1, value->floats});
  }
  return fact;
}

Fact OfConstantOfShape(const Step& step) {
  Fact fact = AnyOf(kFloat);
  if (FindAttribute(step.node, "value") != nullptr) {
    const Attribute* const value = step.Find("value");
    fact = value == nullptr || value->tensors.size() != 1 ? Fact() : FactOf(value->tensors.front());
  }
  return Reaching(fact, {step.Input(0).extent.count, std::nullopt});
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
  return Reaching(AnyOf(fact.type), fact.extent);
}

Fact OfClip(const Step& step) {
  Fact fact = step.Input(0);
  const auto limits = [&](size_t place) {
    return place < step.node.inputs.size() && !step.node.inputs[place].empty();
  };
  if (limits(1)) fact = Max(fact, step.Input(1));
  if (limits(2)) fact = Min(fact, step.Input(2));
  return Reaching(fact, step.Input(0).extent);
}

// The numbers start at one and end before another.
Fact OfRange(const Step& step) {
  // Up to here they are counted without rounding.
  constexpr int64_t kExact = int64_t{1} << 52;
  Fact fact = Either(step.Input(0), step.Input(1));
  if (fact.lowest < -kExact || fact.highest > kExact) fact = AnyOf(fact.type);
  return Reaching(fact, {1, std::nullopt});
}

// Numbers of the input, some of them taken together, or none.
Fact OfReduction(const Step& step) {
  const Fact from = step.Input(0);
  const std::string_view name = step.node.op_type;
  if (name == "ReduceMax") return OrSmallest(from);
  if (name == "ReduceMin") {
    return Reaching(Between(from.type, from.lowest, AnyOf(from.type).highest), from.extent);
  }
  const std::optional<uint64_t> count = from.extent.count;
  if (!count || *count > kMostFactors) return Reaching(AnyOf(from.type), from.extent);
  const bool is_sum = name == "ReduceSum";
  Fact all = One(from.type, is_sum ? 0 : 1);
  Fact fact = all;
  for (uint64_t i = 0; i < *count; ++i) {
    all = is_sum ? Add(all, from) : Mul(all, from);
    fact = Either(fact, all);
  }
  return Reaching(fact, from.extent);
}

Fact OfMany(const Step& step, Fact (*join)(const Fact&, const Fact&)) {
  Fact fact = step.Input(0);
  for (size_t i = 1; i < step.inputs.size(); ++i) fact = join(fact, step.inputs[i]);
  return fact;
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
  if (place < step.inputs.size() || given == nullptr || given->integers.empty()) {
    return step.Input(place);
  }
  const auto [lowest, highest] =
      std::minmax_element(given->integers.begin(), given->integers.end());
  return Reaching(Between(kInt64, *lowest, *highest), {1, given->integers.size()});
}

// How many numbers there are at most from one place of a list up to another.
std::optional<uint64_t> CountBetween(const Fact& start, const Fact& end) {
  // Both from the front, or both from the back.
  if ((start.lowest >= 0 && end.lowest >= 0) || (start.highest < 0 && end.highest < 0)) {
    if (start.lowest == std::numeric_limits<int64_t>::min()) return std::nullopt;
    return end.highest > start.lowest ? end.highest - start.lowest : 0;
  }
  // From the back on there are as many as the place says.
  if (start.highest < 0 && start.lowest > -kMost) return -start.lowest;
  return std::nullopt;
}

Fact OfSlice(const Step& step) {
  Fact fact = step.Input(0);
  const bool is_forward =
      step.inputs.size() <= 4 || step.node.inputs[4].empty() || step.inputs[4].lowest > 0;
  if (!IsList(fact.extent) || !is_forward) return fact;
  const std::optional<uint64_t> between =
      CountBetween(NumbersOf(step, "starts", 1), NumbersOf(step, "ends", 2));
  if (between && (!fact.extent.count || *between < *fact.extent.count)) fact.extent.count = between;
  return fact;
}

Fact OfUnsqueeze(const Step& step) {
  Fact fact = step.Input(0);
  const std::optional<uint64_t> added = NumbersOf(step, "axes", 1).extent.count;
  const bool is_sure = fact.extent.axes && added && *added < UINT32_MAX;
  fact.extent.axes = is_sure ? std::optional<uint64_t>(*fact.extent.axes + *added) : std::nullopt;
  return fact;
}

Fact OfWhere(const Step& step) {
  const Extent extent =
      Broadcast(step.Input(0).extent, Broadcast(step.Input(1).extent, step.Input(2).extent));
  return Reaching(Either(step.Input(1), step.Input(2)), extent);
}

Extent ReachOf(const Step& step, Reach reach) {
  Extent extent = step.Input(0).extent;
  switch (reach) {
    case Reach::kAny:
      return {};
    case Reach::kAsFirst:
      return extent;
    case Reach::kSameAxes:
      return {extent.axes, std::nullopt};
    case Reach::kMatched:
      for (const Fact& input : step.inputs) extent = Broadcast(extent, input.extent);
      return extent;
  }
  return {};
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
      {"Flatten",
       [](const Step& step) {
         return Reaching(step.Input(0), {2, step.Input(0).extent.count});
       }},
      {"Gather", OfGather},
      {"Max", [](const Step& step) { return OfMany(step, Max); }},
      {"Min", [](const Step& step) { return OfMany(step, Min); }},
      {"Mod", OfMod},
      {"Mul", [](const Step& step) { return Mul(step.Input(0), step.Input(1)); }},
      {"Neg", [](const Step& step) { return Sub(One(step.Input(0).type, 0), step.Input(0)); }},
      {"Range", OfRange},
      {"ReduceMax", OfReduction},
      {"ReduceMin", OfReduction},
      {"ReduceProd", OfReduction},
      {"ReduceSum", OfReduction},
      {"Relu", [](const Step& step) { return Max(step.Input(0), One(step.Input(0).type, 0)); }},
      {"Reshape", OfReshape},
      {"Shape",
       [](const Step& step) {
         return Reaching(Between(kInt64, 0, kMost), {1, step.Input(0).extent.axes});
       }},
      {"Sign",
       [](const Step& step) {
         return Reaching(Between(step.Input(0).type, -1, 1), step.Input(0).extent);
       }},
      {"Size",
       [](const Step&) {
         return Reaching(Between(kInt64, 0, kMost), {0, 1});
       }},
      {"Slice", OfSlice},
      {"Sub", [](const Step& step) { return Sub(step.Input(0), step.Input(1)); }},
      {"Unsqueeze", OfUnsqueeze},
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
  const Extent reach = ReachOf(step, kind->second.reach);
  const Fact first = step.Input(0);
  switch (kind->second.numbers) {
    case Numbers::kFloats:
      std::fill(results.begin(), results.end(), AnyOf(kFloat));
      break;
    case Numbers::kTruths:
      results[0] = AnyOf(kBool);
      break;
    case Numbers::kPlaces:
      results[0] = Between(kInt64, 0, kMost);
      break;
    case Numbers::kSome:
      std::fill(results.begin(), results.end(), Reaching(first, Extent()));
      break;
    case Numbers::kFirstType:
      results[0] = AnyOf(first.type);
      break;
  }
  if (kind->second.reach == Reach::kAsFirst) {
    for (Fact& result : results) result.extent = reach;
  } else {
    results[0].extent = reach;
  }
  return results;
}

}  // namespace tlsc::gate
