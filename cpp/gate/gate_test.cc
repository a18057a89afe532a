#include "gate/gate.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "gate/limits.h"
#include "gate/test_models.h"

namespace tlsc::gate {
namespace {

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
  ExpectUnsupported(tower(kDeepestCalls + 1), "more than 200 functions");
  ExpectUnsupported(tower(100000), "more than 200 functions");
  // The order in the file does not matter.
  std::vector<Proto> functions = Tower(kDeepestCalls + 1, 1);
  ExpectUnsupported(Model(Graph({kRelu}), {functions.rbegin(), functions.rend()}), "200 functions");
}

TEST(GateFunctions, MayStandForSoManyCallsAndNodes) {
  EXPECT_TRUE(Passes(Model(Graph({Call("f3", "x", "y")}), Tower(4, 10))));
  ExpectUnsupported(Model(Graph({Call("f4", "x", "y")}), Tower(5, 10)), "more than 8192 calls");
  ExpectUnsupported(Model(Graph({Call("f99", "x", "y")}), Tower(100, 10)), "more than");
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
  ExpectUnsupported(Model(Graph(calls), {Function("Long", long_body)}), "more than 131072 nodes");
}

TEST(GateFunctions, AreCalledWithNoMoreThanTheyTake) {
  const std::vector<Proto> functions = {Function("F", {kRelu})};
  ExpectInvalid(Model(Graph({Node("F", {"a", "b"}, {"c"}, "d")}), functions), "more than it takes");
  ExpectInvalid(Model(Graph({Node("F", {"a"}, {"c", "e"}, "d")}), functions), "takes more of it");
  EXPECT_TRUE(Passes(Model(Graph({Node("F", {}, {"c"}, "d")}), functions)));
  ExpectInvalid(Model(Graph({kRelu}), {functions[0], functions[0]}), "two functions named F");
}

TEST(GateFunctions, HaveOneNameOfThreeParts) {
  // Which of the two a call means cannot be told.
  Proto overloaded = Function("F", {kRelu});
  overloaded.Add(13, "o");
  ExpectInvalid(Model(Graph({kRelu}), {overloaded, Function("F:o", {kRelu})}),
                "two functions named");
  // The call of one is the call of the other.
  Proto itself;
  itself.Add(1, "F").Add(13, "o").Add(4, "x").Add(5, "y").Add(10, "d");
  itself.Add(7, Node("F:o", {"x"}, {"y"}, "d"));
  ExpectInvalid(Model(Graph({kRelu}), {itself}), "calls itself");
}

TEST(GateFunctions, HoldGraphsInGraphsSoDeep) {
  // Each holds graphs, and calls the next inside them.
  const auto chain = [](size_t length) {
    std::vector<Proto> functions;
    for (size_t i = 0; i < length; ++i) {
      const std::string next = "F" + std::to_string(i + 1);
      const Proto inner =
          i + 1 < length ? Node(next, {"x"}, {"z"}, "d") : Node("Relu", {"x"}, {"z"});
      const Proto around = NodeAround(Graph({NodeAround(Graph({inner}), {"b"})}), {"y"});
      functions.push_back(Function("F" + std::to_string(i), {around}));
    }
    return Model(Graph({Node("F0", {"x"}, {"y"}, "d")}), functions);
  };
  EXPECT_TRUE(Passes(chain(kDeepestGraphs / 2)));
  ExpectUnsupported(chain(kDeepestGraphs / 2 + 1), "24 graphs in each other");
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
  ExpectUnsupported(Model(many), "more than 131072 nodes");
  Proto deep = Graph({kRelu});
  for (size_t i = 0; i <= kDeepestGraphs; ++i) deep = Graph({NodeAround(deep, {"z"})});
  ExpectUnsupported(Model(deep), "in more than 24 graphs");
  const std::string texts((kMostParts + 1) * 2, '\x0a');  // as many empty names
  std::string names;
  for (size_t i = 0; i <= kMostParts; ++i) names.append("\x0a\x00", 2);
  ExpectUnsupported(Model(Graph({Proto().Add(4, "Sum")}).Add(1, names)), "more than 4194304 parts");
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
  ExpectUnsupported(input({int64_t{1} << 40, 3}), "declares input x with more than");
  ExpectUnsupported(input({int64_t{1} << 40, int64_t{1} << 40}), "declares input x with more than");
  const Proto sparse = Proto().Add(1, Floats("s", 1, 1)).Add(3, int64_t{1} << 40);
  ExpectUnsupported(Model(Graph({kRelu}).Add(15, sparse)), "sparse tensor of more than");
}

TEST(GateTensors, LieInAPlaceOfOnnxs) {
  // Others keep what they read before, where the number is none that they know.
  Proto tensor = External("w.bin");
  ExpectInvalid(Model(Graph({kRelu}).Add(5, tensor.Add(14, int64_t{5}))),
                "in a place that is none");
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

TEST(Gate, SaysNothingOnceItIsCancelled) { Check("no model at all", {}, true); }

}  // namespace
}  // namespace tlsc::gate
