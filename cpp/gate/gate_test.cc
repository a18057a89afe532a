#include "gate/gate.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <random>
#include <string>
#include <vector>

#include "gate/limits.h"

namespace tlsc::gate {
namespace {

namespace fs = std::filesystem;

using Texts = std::vector<std::string>;

// A message in protobuf's wire format, field after field.
class Proto {
 public:
  Proto& Add(uint32_t tag, const std::string& bytes) {
    protozero::pbf_writer(bytes_).add_bytes(tag, bytes);
    return *this;
  }
  Proto& Add(uint32_t tag, const Proto& message) { return Add(tag, message.bytes_); }
  Proto& Add(uint32_t tag, const char* text) { return Add(tag, std::string(text)); }
  Proto& Add(uint32_t tag, const Texts& texts) {
    for (const std::string& text : texts) Add(tag, text);
    return *this;
  }
  Proto& Add(uint32_t tag, int64_t number) {
    protozero::pbf_writer(bytes_).add_int64(tag, number);
    return *this;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

Proto Node(const std::string& op_type, const Texts& inputs, const Texts& outputs,
           const std::string& domain = "") {
  Proto node;
  return node.Add(1, inputs).Add(2, outputs).Add(4, op_type).Add(7, domain);
}

// With one attribute that holds a graph.
Proto NodeAround(const Proto& graph, const Texts& outputs) {
  return Node("If", {"condition"}, outputs).Add(5, Proto().Add(1, "then_branch").Add(6, graph));
}

Proto Graph(const std::vector<Proto>& nodes) {
  Proto graph;
  for (const Proto& node : nodes) graph.Add(1, node);
  return graph;
}

// A function of domain `d` with input `x` and output `y`.
Proto Function(const std::string& name, const std::vector<Proto>& nodes,
               const Texts& inputs = {"x"}) {
  Proto function;
  function.Add(1, name).Add(4, inputs).Add(5, "y").Add(10, "d");
  for (const Proto& node : nodes) function.Add(7, node);
  return function;
}

Proto Model(const Proto& graph, const std::vector<Proto>& functions = {}) {
  Proto model;
  model.Add(1, int64_t{8}).Add(8, Proto().Add(2, int64_t{17})).Add(7, graph);
  for (const Proto& function : functions) model.Add(25, function);
  return model;
}

Proto Floats(const std::string& name, int64_t count, size_t held) {
  return Proto().Add(1, count).Add(2, int64_t{1}).Add(8, name).Add(9, std::string(held * 4, 'x'));
}

Proto External(const std::string& location, int64_t count = 4, const char* offset = nullptr,
               const char* length = nullptr) {
  Proto tensor;
  tensor.Add(1, count).Add(2, int64_t{1}).Add(8, "w").Add(14, int64_t{1});
  const auto entry = [&](const char* key, const std::string& value) {
    tensor.Add(13, Proto().Add(1, key).Add(2, value));
  };
  entry("location", location);
  if (offset != nullptr) entry("offset", offset);
  if (length != nullptr) entry("length", length);
  return tensor;
}

// The reason and the message, '' where the model is let through.
struct Verdict {
  Reason reason = Reason::kInvalid;
  std::string message;
};

Verdict Judge(const std::string& bytes, const std::optional<std::string>& folder = {}) {
  try {
    Check(bytes, folder, false);
    return {};
  } catch (const Refusal& refusal) {
    return {refusal.reason(), refusal.what()};
  }
}

Verdict Judge(const Proto& model, const std::optional<std::string>& folder = {}) {
  return Judge(model.bytes(), folder);
}

testing::AssertionResult Passes(const Proto& model) {
  const Verdict verdict = Judge(model);
  if (verdict.message.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << verdict.message;
}

void ExpectRefused(const Verdict& verdict, Reason reason, const std::string& words) {
  EXPECT_NE(verdict.message.find(words), std::string::npos) << "said: " << verdict.message;
  EXPECT_EQ(verdict.reason, reason);
}

void ExpectInvalid(const Proto& model, const std::string& words) {
  ExpectRefused(Judge(model), Reason::kInvalid, words);
}

void ExpectTooMuch(const Proto& model, const std::string& words) {
  ExpectRefused(Judge(model), Reason::kTooMuch, words);
}

const Proto kRelu = Node("Relu", {"x"}, {"y"});

TEST(Gate, LetsAPlainModelThrough) {
  EXPECT_TRUE(Passes(Model(Graph({kRelu}).Add(5, Floats("w", 4, 4)))));
  EXPECT_TRUE(Passes(Model(Proto())));
}

TEST(Gate, RefusesWhatIsNoModel) {
  EXPECT_NE(Judge(std::string()).message, "");
  EXPECT_NE(Judge(std::string(1000, '\xff')).message, "");
  ExpectInvalid(Proto().Add(1, int64_t{8}).Add(7, Proto()), "no graph, IR version or opset");
  ExpectInvalid(Proto().Add(8, Proto()).Add(7, Proto()), "no graph, IR version or opset");
  ExpectInvalid(Proto().Add(1, int64_t{8}).Add(8, Proto()), "no graph, IR version or opset");
}

TEST(Gate, RefusesEveryModelThatIsCutShortInsideAMessage) {
  const std::string whole = Model(Graph({kRelu}).Add(5, Floats("w", 4, 4))).bytes();
  const size_t graph = whole.find("Relu");
  for (size_t size = graph - 8; size < whole.size(); ++size) {
    EXPECT_NE(Judge(whole.substr(0, size)).message, "") << size;
  }
}

TEST(Gate, RefusesMessagesThatOthersWouldMerge) {
  ExpectInvalid(Model(Graph({kRelu})).Add(7, Graph({kRelu})), "a graph twice");
  const Proto two =
      Node("Constant", {}, {"c"})
          .Add(5, Proto().Add(1, "value").Add(5, Floats("", 1, 1)).Add(5, External("s")));
  ExpectInvalid(Model(Graph({two})), "a tensor of an attribute twice");
  Proto place = External("a");
  place.Add(13, Proto().Add(1, "location").Add(2, "b"));
  ExpectInvalid(Model(Graph({kRelu}).Add(5, place)), "says of a tensor twice");
}

TEST(Gate, TakesNumbersAsOthersDo) {
  // An enum of 32 bits: what is above is cut off.
  Proto tensor = External("secret");
  tensor.Add(14, (int64_t{1} << 32) + 1);
  ExpectRefused(Judge(Model(Graph({kRelu}).Add(5, tensor))), Reason::kNeedsFolder, "secret");
  // The last of several counts.
  EXPECT_TRUE(Passes(Model(
      Graph({kRelu}).Add(5, External("a").Add(14, int64_t{0}).Add(9, std::string(16, 'x'))))));
}

TEST(GateNames, RefusesTwoValuesOfOneName) {
  ExpectInvalid(Model(Graph({kRelu, kRelu})), "two values named y");
  ExpectInvalid(Model(Graph({Node("Split", {"x"}, {"a", "a"})})), "two values named a");
  ExpectInvalid(Model(Graph({kRelu}).Add(11, Proto().Add(1, "y"))), "two values named y");
  ExpectInvalid(Model(Graph({kRelu}).Add(5, Floats("y", 1, 1))), "two values named y");
  ExpectInvalid(Model(Graph({NodeAround(Graph({kRelu, kRelu}), {"z"})})), "two values named y");
}

TEST(GateNames, RefusesAnInputOfAFunctionThatItComputes) {
  const Proto function =
      Function("F", {Node("Constant", {}, {"t"}), Node("Add", {"x", "t"}, {"y"})}, {"x", "t"});
  ExpectInvalid(Model(Graph({Node("F", {"a"}, {"b"}, "d")}), {function}), "two values named t");
  const Proto branch =
      Function("F", {NodeAround(Graph({Node("Constant", {}, {"t"})}), {"y"})}, {"x", "t"});
  ExpectInvalid(Model(Graph({Node("F", {"a"}, {"b"}, "d")}), {branch}), "two values named t");
}

TEST(GateNames, TakesWhatModelsHave) {
  // Inputs of old models are initializers; optional outputs have no name; scopes have their own.
  EXPECT_TRUE(Passes(Model(Graph({kRelu}).Add(11, Proto().Add(1, "w")).Add(5, Floats("w", 1, 1)))));
  EXPECT_TRUE(Passes(Model(Graph({Node("LSTM", {"x"}, {"", "", "h"})}))));
  EXPECT_TRUE(Passes(Model(Graph({NodeAround(Graph({kRelu}), {"z"}), kRelu}))));
}

TEST(GateCircles, AreRefusedWithANodeOfThem) {
  const std::vector<Proto> circle = {Node("Neg", {"x"}, {"a"}), Node("Add", {"a", "d"}, {"b"}),
                                     Node("Neg", {"b"}, {"c"}), Node("Neg", {"c"}, {"d"}),
                                     Node("Neg", {"d"}, {"y"})};
  ExpectInvalid(Model(Graph(circle)), "goes in a circle at ");
  ExpectInvalid(Model(Graph({Node("F", {"x"}, {"z"}, "e")}), {Function("F", circle)}), "circle");
  ExpectInvalid(Model(Graph({NodeAround(Graph(circle), {"z"})})), "circle");
  ExpectInvalid(Model(Graph({Node("Neg", {"y"}, {"y"})})), "circle at Neg (computes y)");
}

TEST(GateCircles, GoThroughGraphsInNodes) {
  const Proto inner = Graph({Node("Neg", {"later"}, {"n"})});
  ExpectInvalid(Model(Graph({NodeAround(inner, {"z"}), Node("Neg", {"z"}, {"later"})})), "circle");
  const Proto shadowed = Graph({Node("Neg", {"x"}, {"later"}), Node("Neg", {"later"}, {"n"})});
  EXPECT_TRUE(Passes(Model(Graph({NodeAround(shadowed, {"z"}), Node("Neg", {"z"}, {"later"})}))));
}

TEST(GateCircles, NodesMayComeInAnyOrder) {
  std::vector<Proto> nodes;
  for (int i = 20000; i > 0; --i) {
    nodes.push_back(Node("Neg", {"v" + std::to_string(i - 1)}, {"v" + std::to_string(i)}));
  }
  EXPECT_TRUE(Passes(Model(Graph(nodes))));
}

Proto Call(const std::string& name, const std::string& from, const std::string& to) {
  return Node(name, {from}, {to}, "d");
}

// Functions that each call the one before `width` times.
std::vector<Proto> Tower(int height, int width) {
  std::vector<Proto> functions = {Function("f0", {kRelu})};
  for (int level = 1; level < height; ++level) {
    std::vector<Proto> calls;
    for (int i = 0; i < width; ++i) {
      calls.push_back(Call("f" + std::to_string(level - 1), i == 0 ? "x" : "v" + std::to_string(i),
                           i + 1 == width ? "y" : "v" + std::to_string(i + 1)));
    }
    functions.push_back(Function("f" + std::to_string(level), calls));
  }
  return functions;
}

TEST(GateFunctions, AreRefusedWhenTheyCallThemselves) {
  const Proto one = Function("One", {Call("Two", "x", "y")});
  const Proto two = Function("Two", {NodeAround(Graph({Call("One", "x", "z")}), {"y"})});
  ExpectInvalid(Model(Graph({Call("One", "x", "y")}), {one, two}), "calls itself");
  ExpectInvalid(Model(Graph({kRelu}), {one, two}), "calls itself");  // called or not
}

TEST(GateFunctions, MayLieInEachOtherSoDeep) {
  const auto tower = [](int height) {
    return Model(Graph({Call("f" + std::to_string(height - 1), "x", "y")}), Tower(height, 1));
  };
  EXPECT_TRUE(Passes(tower(kDeepestCalls)));
  ExpectTooMuch(tower(kDeepestCalls + 1), "more than 200 functions");
  ExpectTooMuch(tower(100000), "more than 200 functions");
  // The order in the file does not matter.
  std::vector<Proto> functions = Tower(kDeepestCalls + 1, 1);
  ExpectTooMuch(Model(Graph({kRelu}), {functions.rbegin(), functions.rend()}), "200 functions");
}

TEST(GateFunctions, MayStandForSoManyCallsAndNodes) {
  EXPECT_TRUE(Passes(Model(Graph({Call("f3", "x", "y")}), Tower(4, 10))));
  ExpectTooMuch(Model(Graph({Call("f4", "x", "y")}), Tower(5, 10)), "more than 8192 calls");
  ExpectTooMuch(Model(Graph({Call("f99", "x", "y")}), Tower(100, 10)), "more than");
  std::vector<Proto> long_body;
  for (int i = 0; i < 2000; ++i) {
    const std::string from = i == 0 ? "x" : "v" + std::to_string(i);
    const std::string to = i == 1999 ? "y" : "v" + std::to_string(i + 1);
    long_body.push_back(Node("Relu", {from}, {to}));
  }
  std::vector<Proto> calls;
  for (int i = 0; i < 70; ++i) {
    calls.push_back(Call("Long", "c" + std::to_string(i), "c" + std::to_string(i + 1)));
  }
  ExpectTooMuch(Model(Graph(calls), {Function("Long", long_body)}), "more than 131072 nodes");
}

TEST(GateFunctions, AreCalledWithNoMoreThanTheyTake) {
  const std::vector<Proto> functions = {Function("F", {kRelu})};
  ExpectInvalid(Model(Graph({Node("F", {"a", "b"}, {"c"}, "d")}), functions), "more than it takes");
  ExpectInvalid(Model(Graph({Node("F", {"a"}, {"c", "e"}, "d")}), functions), "takes more of it");
  EXPECT_TRUE(Passes(Model(Graph({Node("F", {}, {"c"}, "d")}), functions)));
  ExpectInvalid(Model(Graph({kRelu}), {functions[0], functions[0]}), "two functions named F");
}

TEST(GateFunctions, AreFollowedWithWhatEachCallHandsOver) {
  const Proto divide = Function("Divide", {Node("Div", {"x", "by"}, {"y"})}, {"x", "by"});
  const auto call = [&](const char* by) {
    const Proto whole = [](const char* name, int64_t value) {
      return Proto().Add(1, int64_t{1}).Add(2, int64_t{7}).Add(8, name).Add(7, value);
    }("one", 1);
    Proto minus_one;
    minus_one.Add(1, int64_t{1}).Add(2, int64_t{7}).Add(8, "minus_one").Add(7, int64_t{-1});
    Proto smallest;
    smallest.Add(1, int64_t{1}).Add(2, int64_t{7}).Add(8, "smallest");
    smallest.Add(7, std::numeric_limits<int64_t>::min());
    const Proto node = Node("Divide", {"smallest", by}, {"z"}, "d");
    return Model(Graph({node}).Add(5, whole).Add(5, minus_one).Add(5, smallest), {divide});
  };
  EXPECT_TRUE(Passes(call("one")));
  ExpectInvalid(call("minus_one"), "the smallest whole number by -1");
}

TEST(GateFunctions, TheDefaultDomainHasTwoNames) {
  Proto function;
  function.Add(1, "Mine")
      .Add(4, "x")
      .Add(5, "y")
      .Add(10, "ai.onnx")
      .Add(7, Node("Mine", {"x"}, {"y"}));
  ExpectInvalid(Model(Graph({kRelu}), {function}), "calls itself");
}

TEST(GateLimits, NodesGraphsAndParts) {
  Proto many;
  const Proto empty;
  for (size_t i = 0; i <= kMostNodes; ++i) many.Add(1, empty);
  ExpectTooMuch(Model(many), "more than 131072 nodes");
  Proto deep = Graph({kRelu});
  for (size_t i = 0; i <= kDeepestGraphs; ++i) deep = Graph({NodeAround(deep, {"z"})});
  ExpectTooMuch(Model(deep), "in more than 24 graphs");
  const std::string texts((kMostParts + 1) * 2, '\x0a');  // as many empty names
  std::string names;
  for (size_t i = 0; i <= kMostParts; ++i) names.append("\x0a\x00", 2);
  ExpectTooMuch(Model(Graph({Proto().Add(4, "Sum")}).Add(1, names)), "more than 4194304 parts");
}

TEST(GateTensors, HoldWhatTheySay) {
  const auto with = [](const Proto& tensor) { return Model(Graph({kRelu}).Add(5, tensor)); };
  ExpectInvalid(with(Floats("w", 5, 4)), "initializer w has 5 values, which holds 4");
  ExpectInvalid(with(Floats("w", int64_t{1} << 40, 4)), "has 1099511627776 values");
  ExpectInvalid(with(Floats("w", -1, 4)), "negative size, initializer w");
  // Sizes whose product is beyond all numbers, and one that makes it nothing.
  Proto vast = Floats("w", int64_t{1} << 62, 4);
  ExpectInvalid(with(vast.Add(1, int64_t{1} << 62)), "values, which holds 4");
  EXPECT_TRUE(Passes(with(Floats("w", 0, 0))));
  // 4 bits a value; one value in a field of its own; packed and not.
  EXPECT_TRUE(Passes(with(Proto().Add(1, int64_t{3}).Add(2, int64_t{22}).Add(9, "ab"))));
  EXPECT_TRUE(Passes(with(Proto().Add(1, int64_t{2}).Add(2, int64_t{7}).Add(7, "\x05\x07"))));
  EXPECT_TRUE(Passes(
      with(Proto().Add(1, int64_t{2}).Add(2, int64_t{7}).Add(7, int64_t{5}).Add(7, int64_t{7}))));
  EXPECT_TRUE(Passes(with(Proto().Add(1, "\x02").Add(2, int64_t{8}).Add(6, Texts{"a", "b"}))));
  const Proto constant =
      Node("Constant", {}, {"c"}).Add(5, Proto().Add(1, "value").Add(5, Floats("", 5, 4)));
  ExpectInvalid(Model(Graph({constant})), "the constant of Constant (computes c) has 5 values");
}

TEST(GateTensors, AreDeclaredWithinTheLimits) {
  const auto input = [](std::initializer_list<int64_t> sizes) {
    Proto shape;
    for (const int64_t size : sizes) shape.Add(1, Proto().Add(1, size));
    const Proto type = Proto().Add(1, Proto().Add(1, int64_t{1}).Add(2, shape));
    return Model(Graph({kRelu}).Add(11, Proto().Add(1, "x").Add(2, type)));
  };
  EXPECT_TRUE(Passes(input({1, 64, 4000, 6000})));
  EXPECT_TRUE(Passes(input({-1, 3, -1, -1})));
  ExpectTooMuch(input({int64_t{1} << 40, 3}), "declares input x with more than");
  ExpectTooMuch(input({int64_t{1} << 40, int64_t{1} << 40}), "declares input x with more than");
  const Proto sparse = Proto().Add(1, Floats("s", 1, 1)).Add(3, int64_t{1} << 40);
  ExpectTooMuch(Model(Graph({kRelu}).Add(15, sparse)), "sparse tensor of more than");
}

Proto Attribute(const char* name, int64_t integer) { return Proto().Add(1, name).Add(3, integer); }

TEST(GateOperators, RefusesSplitsThatAreNotWhole) {
  ExpectInvalid(Model(Graph({Node("Split", {"x"}, {"a", "", "c"})})),
                "leaves out one of its parts");
  const auto split = [](const Proto& attribute) {
    return Model(Graph({Node("Split", {"x"}, {"a", "b"}).Add(5, attribute)}));
  };
  EXPECT_TRUE(Passes(split(Attribute("num_outputs", 2))));
  ExpectInvalid(split(Attribute("num_outputs", 1)), "not as many parts as it says");
  ExpectInvalid(split(Proto().Add(1, "num_outputs").Add(21, "n")), "not as many parts");
}

TEST(GateOperators, RefusesAnInputLeftOutOfMany) {
  ExpectInvalid(Model(Graph({Node("Sum", {"x", ""}, {"y"})})), "leaves out one of its inputs");
  EXPECT_TRUE(Passes(Model(Graph({Node("Clip", {"x", "", "m"}, {"y"})}))));
}

TEST(GateOperators, RefusesAxesBeyondAll) {
  const auto gather = [](const Proto& attribute) {
    return Model(Graph({Node("GatherND", {"x", "i"}, {"y"}).Add(5, attribute)}));
  };
  EXPECT_TRUE(Passes(gather(Attribute("batch_dims", 2))));
  ExpectInvalid(gather(Attribute("batch_dims", -(int64_t{1} << 31))), "beyond all axes");
  ExpectInvalid(gather(Attribute("axis", 65)), "beyond all axes");
  ExpectInvalid(gather(Proto().Add(1, "axes").Add(8, int64_t{1}).Add(8, int64_t{99})), "beyond");
}

TEST(GateOperators, RefusesBlocksBeyondAllImages) {
  const auto shuffle = [](int64_t size) {
    const Proto node = Node("DepthToSpace", {"x"}, {"y"}).Add(5, Attribute("blocksize", size));
    return Model(Graph({node}));
  };
  EXPECT_TRUE(Passes(shuffle(2)));
  ExpectInvalid(shuffle(int64_t{1} << 32), "blocksize is beyond all images");
}

// An initializer of one whole number of 64 bits.
Proto Whole(const char* name, int64_t value) {
  return Proto().Add(1, int64_t{1}).Add(2, int64_t{7}).Add(8, name).Add(7, value);
}

TEST(GateOperators, RefusesDivisionsThatStopTheProcess) {
  const int64_t smallest = std::numeric_limits<int64_t>::min();
  const auto divide = [](const char* op_type, int64_t dividend, int64_t divisor) {
    return Model(Graph({Node(op_type, {"a", "b"}, {"y"})})
                     .Add(5, Whole("a", dividend))
                     .Add(5, Whole("b", divisor)));
  };
  for (const char* op_type : {"Div", "Mod"}) {
    ExpectInvalid(divide(op_type, smallest, -1), "the smallest whole number by -1");
    EXPECT_TRUE(Passes(divide(op_type, smallest, 2)));
    EXPECT_TRUE(Passes(divide(op_type, 5, -1)));
  }
  // As exporters write them: of sizes, by constants or by other sizes.
  const Proto shape = Node("Shape", {"x"}, {"sizes"});
  const Proto eight = Whole("b", 8);
  EXPECT_TRUE(Passes(Model(Graph({shape, Node("Mod", {"sizes", "b"}, {"m"}),
                                  Node("Sub", {"b", "m"}, {"s"}), Node("Mod", {"s", "b"}, {"y"})})
                               .Add(5, eight))));
  EXPECT_TRUE(Passes(Model(Graph({shape, Node("Div", {"sizes", "sizes"}, {"y"})}))));
  // By the largest of numbers, of which there may be none: the smallest whole number then, never
  // -1.
  const Proto largest = Node("ReduceMax", {"sizes"}, {"l"});
  EXPECT_TRUE(Passes(
      Model(Graph({shape, largest, Node("Min", {"l", "b"}, {"m"}), Node("Div", {"w", "m"}, {"y"})})
                .Add(5, eight)
                .Add(5, Whole("w", smallest)))));
  ExpectInvalid(
      Model(Graph({shape, largest, Node("Div", {"l", "b"}, {"y"})}).Add(5, Whole("b", -1))),
      "the smallest whole number by -1");
  // By what the image decides, of what may be anything.
  ExpectInvalid(Model(Graph({shape, Node("Sub", {"sizes", "b"}, {"d"}),
                             Node("Div", {"b", "d"}, {"y"}), Node("Div", {"w", "d"}, {"z"})})
                          .Add(5, eight)
                          .Add(5, Whole("w", smallest))),
                "the smallest whole number by -1");
  // Of floats nothing is asked.
  EXPECT_TRUE(Passes(Model(Graph({Node("Sqrt", {"x"}, {"r"}), Node("Div", {"x", "r"}, {"y"})}))));
}

TEST(GateOperators, RefusesDomainsOfOptimizedModels) {
  ExpectInvalid(Model(Graph({Node("Conv", {"x", "w"}, {"y"}, "com.microsoft.nchwc")})),
                "before it was optimized");
}

TEST(GateOperators, ScalesAreAsManyAsAnImageHasAxes) {
  const auto resize = [](const std::string& scales) {
    return Node("Resize", {"x", "", scales}, {"y"});
  };
  const Proto four = Floats("four", 4, 4);
  const Proto two = Floats("two", 2, 2);
  EXPECT_TRUE(Passes(Model(Graph({resize("four")}).Add(5, four))));
  EXPECT_TRUE(Passes(Model(Graph({Node("Resize", {"x", "", "", "sizes"}, {"y"})}))));
  EXPECT_TRUE(Passes(Model(Graph({Node("Upsample", {"x", "four"}, {"y"})}).Add(5, four))));
  ExpectInvalid(Model(Graph({resize("w")}).Add(5, Floats("w", 400, 400))), "more scales than");
  ExpectInvalid(Model(Graph({Node("Upsample", {"x", "w"}, {"y"})}).Add(5, Floats("w", 6, 6))),
                "more scales than");
  // Computed: of constants laid one behind the other, or of what nobody knows.
  const auto joined = [&](const Texts& parts) {
    return Model(Graph({Node("Concat", parts, {"s"}), resize("s")}).Add(5, two).Add(5, four));
  };
  EXPECT_TRUE(Passes(joined({"two", "two"})));
  ExpectInvalid(joined({"four", "two"}), "more scales than");
  ExpectInvalid(joined({"two", "x"}), "number of scales cannot be told");
  ExpectInvalid(Model(Graph({resize("x")})), "number of scales cannot be told");
  const Proto constant = Node("Constant", {}, {"s"})
                             .Add(5, Proto().Add(1, "value_floats").Add(7, std::string(16, 'x')));
  EXPECT_TRUE(Passes(Model(Graph({constant, resize("s")}))));
  EXPECT_TRUE(Passes(Model(Graph({NodeAround(Graph({resize("four")}), {"z"})}).Add(5, four))));
  // A function: with what each call hands over.
  const Proto function = Function("F", {resize("scales")}, {"x", "scales"});
  const auto call = [&](const char* scales) {
    return Model(Graph({Node("F", {"x", scales}, {"z"}, "d")}).Add(5, four), {function});
  };
  EXPECT_TRUE(Passes(call("four")));
  ExpectInvalid(call("x"), "cannot be told");
}

TEST(GateNames, AreShownWithoutControlCharacters) {
  ExpectInvalid(Model(Graph({Node("Relu", {"x"}, {"\x1b[2Jy"}), Node("Neg", {"x"}, {"\x1b[2Jy"})})),
                "named ?[2Jy");
}

TEST(GateNames, AreCutInMessages) {
  const std::string name(1 << 20, 'n');
  const Verdict verdict =
      Judge(Model(Graph({Node("Relu", {"x"}, {name}), Node("Neg", {"x"}, {name})})));
  EXPECT_LT(verdict.message.size(), 200u);
}

class GateExternalData : public testing::Test {
 protected:
  GateExternalData() {
    folder_ = fs::temp_directory_path() / ("tlsc_gate_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_ / "model" / "sub");
    for (const char* name : {"secret.bin", "model/w.bin", "model/sub/v.bin"}) {
      std::ofstream(folder_ / name) << std::string(32, 'w');
    }
  }
  ~GateExternalData() override { fs::remove_all(folder_); }

  Verdict JudgeTensor(const Proto& tensor) {
    return Judge(Model(Graph({kRelu}).Add(5, tensor)), (folder_ / "model").string());
  }

  fs::path folder_;
};

TEST_F(GateExternalData, LiesInTheFolder) {
  EXPECT_EQ(JudgeTensor(External("w.bin")).message, "");
  EXPECT_EQ(JudgeTensor(External("sub/v.bin", 4, "16", "16")).message, "");
  ExpectRefused(JudgeTensor(External("gone.bin")), Reason::kMissingFile, "no such file");
  ExpectRefused(JudgeTensor(External("sub")), Reason::kMissingFile, "no such file");
  for (const char* outside : {"../secret.bin", "sub/../../secret.bin", "/etc/passwd", "C:\\w.bin",
                              "\\\\host\\w.bin", "..\\secret.bin", ".."}) {
    ExpectRefused(JudgeTensor(External(outside)), Reason::kInvalid, "outside the model's folder");
  }
  ExpectRefused(JudgeTensor(External("*/_ORT_MEM_ADDR_/*")), Reason::kInvalid, "not a file");
  ExpectRefused(JudgeTensor(External(std::string("w.bin\0x", 7))), Reason::kInvalid, "not a file");
  ExpectRefused(JudgeTensor(External("")), Reason::kInvalid, "a file without a name");
}

TEST_F(GateExternalData, LinksMustNotLeadOut) {
  std::error_code error;
  fs::create_symlink("../secret.bin", folder_ / "model" / "link.bin", error);
  if (error) GTEST_SKIP() << "links cannot be made here";
  fs::create_symlink("w.bin", folder_ / "model" / "alias.bin");
  ExpectRefused(JudgeTensor(External("link.bin")), Reason::kInvalid, "a link out of");
  EXPECT_EQ(JudgeTensor(External("alias.bin")).message, "");
}

TEST_F(GateExternalData, LiesWithinTheFile) {
  ExpectRefused(JudgeTensor(External("w.bin", 9)), Reason::kInvalid, "ends at 32 bytes, not 36");
  ExpectRefused(JudgeTensor(External("w.bin", 4, "17")), Reason::kInvalid, "ends at 32 bytes");
  for (const char* wrong : {"-1", "1e3", "", "9999999999999999", " 1"}) {
    ExpectRefused(JudgeTensor(External("w.bin", 4, wrong)), Reason::kInvalid, "it needs 16");
    ExpectRefused(JudgeTensor(External("w.bin", 4, "0", wrong)), Reason::kInvalid, "it needs 16");
  }
  ExpectRefused(JudgeTensor(External("w.bin", 4, "0", "12")), Reason::kInvalid, "it needs 16");
  ExpectRefused(JudgeTensor(External("w.bin", int64_t{1} << 62)), Reason::kInvalid, "ends at 32");
  ExpectRefused(JudgeTensor(External("w.bin").Add(2, int64_t{8})), Reason::kInvalid, "of its type");
}

TEST_F(GateExternalData, IsFoundEverywhere) {
  const auto refused = [](const Proto& model) {
    ExpectRefused(Judge(model), Reason::kNeedsFolder, "option externalDataFolder");
  };
  const Proto attribute = Proto().Add(1, "value").Add(5, External("w.bin"));
  const Proto constant = Node("Constant", {}, {"c"}).Add(5, attribute);
  const Proto sparse = Proto().Add(1, External("w.bin")).Add(3, int64_t{4});
  refused(Model(Graph({kRelu}).Add(5, External("w.bin"))));
  refused(Model(Graph({kRelu}).Add(15, sparse)));
  refused(Model(Graph({constant})));
  refused(Model(Graph({NodeAround(Graph({constant}), {"z"})})));
  refused(Model(Graph({NodeAround(Graph({kRelu}).Add(5, External("w.bin")), {"z"})})));
  refused(Model(Graph({kRelu}), {Function("F", {constant})}));
  refused(Model(Graph({kRelu}), {Function("F", {kRelu}).Add(11, attribute)}));
  refused(Model(Graph({Node("Constant", {}, {"c"}).Add(5, Proto().Add(1, "s").Add(22, sparse))})));
}

TEST(Gate, SaysNothingOnceItIsCancelled) { Check("no model at all", {}, true); }

}  // namespace
}  // namespace tlsc::gate
