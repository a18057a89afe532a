#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "gate/test_models.h"

namespace tlsc::gate {
namespace {

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
  ExpectInvalid(Model(Graph({Node("Einsum", {"x", ""}, {"y"})})), "leaves out one of its inputs");
  EXPECT_TRUE(Passes(Model(Graph({Node("Clip", {"x", "", "m"}, {"y"})}))));
}

TEST(GateOperators, RefusesAxesBeyondAll) {
  const auto gather = [](const Proto& attribute) {
    return Model(Graph({Node("GatherND", {"x", "i"}, {"y"}).Add(5, attribute)}));
  };
  EXPECT_TRUE(Passes(gather(Attribute("batch_dims", 2))));
  ExpectInvalid(gather(Attribute("batch_dims", -(int64_t{1} << 31))), "beyond all axes");
  ExpectInvalid(gather(Attribute("batch_dims", -1)), "beyond all axes");
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

TEST(GateOperators, RefusesWhatNoNetworkOfImagesIsMadeOf) {
  const auto model = [](const char* op_type, const char* domain) {
    return Model(Graph({Node(op_type, {"x"}, {"y"}, domain)}));
  };
  EXPECT_TRUE(Passes(model("Gelu", "com.microsoft")));
  EXPECT_TRUE(Passes(model("Anything", "some.domain")));
  ExpectUnsupported(model("Inverse", "com.microsoft"),
                    "node Inverse (computes y) (Inverse of com.microsoft), an operator that no");
  ExpectUnsupported(model("Scaler", "ai.onnx.ml"), "Scaler of ai.onnx.ml");
}

TEST(GateOperators, RefusesPartsOfWhichThereAreNone) {
  const auto conv = [](int64_t group) {
    return Model(
        Graph({Node("ConvTranspose", {"x", "w"}, {"y"}).Add(5, Attribute("group", group))}));
  };
  EXPECT_TRUE(Passes(conv(1)));
  ExpectInvalid(conv(0), "whose group is below 1");
}

TEST(GateOperators, TakesGraphsWhereOperatorsTakeThem) {
  const Proto inner = Graph({Node("Relu", {"x"}, {"inner"})});
  const auto with = [&](const Proto& node, const char* name) {
    Proto copy = node;
    return Model(Graph({copy.Add(5, Proto().Add(1, name).Add(6, inner))}));
  };
  EXPECT_TRUE(Passes(with(Node("If", {"c"}, {"y"}), "else_branch")));
  EXPECT_TRUE(Passes(with(Node("Loop", {"c"}, {"y"}), "body")));
  ExpectInvalid(with(Node("Relu", {"x"}, {"y"}), "__hidden"), "a graph that it does not take");
  ExpectInvalid(with(Node("Loop", {"c"}, {"y"}), "__body"), "a graph that it does not take");
  Proto listed = Node("Loop", {"c"}, {"y"});
  ExpectInvalid(Model(Graph({listed.Add(5, Proto().Add(1, "body").Add(11, inner))})),
                "a list of graphs");
}

TEST(GateOperators, RefusesConstantsOfOtherDomains) {
  ExpectInvalid(Model(Graph({Node("Constant", {}, {"y"}, "d")})), "of another domain than ONNX's");
}

TEST(GateOperators, RefusesDomainsOfOptimizedModels) {
  ExpectInvalid(Model(Graph({Node("Conv", {"x", "w"}, {"y"}, "com.microsoft.nchwc")})),
                "before it was optimized");
}

// As exporters compute scales from sizes.
TEST(GateOperators, ScalesThatAreComputedMayBeCounted) {
  const Proto input =
      Proto().Add(1, "x").Add(2, Proto().Add(1, Proto().Add(1, int64_t{1}).Add(2, [] {
        Proto shape;
        for (int axis = 0; axis < 4; ++axis) shape.Add(1, Proto().Add(2, "free"));
        return shape;
      }())));
  // Inputs of four values.
  const auto list = [](const char* name) {
    const Proto shape = Proto().Add(1, Proto().Add(1, int64_t{4}));
    return Proto().Add(1, name).Add(2, Proto().Add(1, Proto().Add(1, int64_t{1}).Add(2, shape)));
  };
  const auto model = [&](std::vector<Proto> nodes) {
    nodes.insert(nodes.begin(), {Node("Conv", {"x", "w"}, {"c"}), Node("Shape", {"c"}, {"shape"}),
                                 Node("Cast", {"shape"}, {"sides"}).Add(5, Attribute("to", 1))});
    nodes.push_back(Node("Resize", {"c", "", "scales"}, {"y"}));
    Proto graph = Graph(nodes);
    return Model(
        graph.Add(11, input)
            .Add(11, list("given"))
            .Add(11, list("s4"))
            .Add(5, Whole("endless", std::numeric_limits<int64_t>::max()))
            .Add(5, Whole("two", 2))
            .Add(5, Whole("four", 4))
            .Add(5, Proto().Add(2, int64_t{7}).Add(8, "scalar").Add(7, int64_t{3}))
            .Add(5, Proto().Add(1, int64_t{0}).Add(1, int64_t{9}).Add(2, int64_t{1}).Add(8, "none"))
            .Add(5, Floats("ones", 2, 2)));
  };
  // Of all sides; of the last two, by the new ones; of two by their places; of those from a place
  // on.
  EXPECT_TRUE(
      Passes(model({Node("Slice", {"sides", "two", "endless"}, {"s"}),
                    Node("Div", {"s", "s"}, {"q"}), Node("Concat", {"ones", "q"}, {"scales"})})));
  EXPECT_TRUE(Passes(model({Node("Div", {"given", "s4"}, {"scales"})})));
  EXPECT_TRUE(Passes(model({Node("Div", {"sides", "sides"}, {"scales"})})));
  EXPECT_TRUE(Passes(model(
      {Node("Slice", {"sides", "two", "four"}, {"s"}), Node("Div", {"wanted", "s"}, {"unknown"}),
       Node("Div", {"s", "s"}, {"q"}), Node("Concat", {"ones", "q"}, {"scales"})})));
  EXPECT_TRUE(Passes(
      model({Node("Gather", {"sides", "scalar"}, {"s"}), Node("Floor", {"s"}, {"f"}),
             Node("Div", {"f", "s"}, {"q"}),
             Node("Unsqueeze", {"q"}, {"u"}).Add(5, Proto().Add(1, "axes").Add(8, int64_t{0})),
             Node("Concat", {"ones", "u", "u"}, {"scales"})})));
  ExpectInvalid(model({Node("Concat", {"sides", "sides"}, {"scales"})}), "more scales than");
  // A column by a row.
  ExpectInvalid(
      model({Node("Unsqueeze", {"sides"}, {"u"}).Add(5, Proto().Add(1, "axes").Add(8, int64_t{1})),
             Node("Div", {"u", "sides"}, {"scales"})}),
      "more scales than");
  ExpectInvalid(model({Node("Div", {"wanted", "sides"}, {"scales"})}), "cannot be told");
  ExpectInvalid(model({Node("Gather", {"c", "scalar"}, {"scales"})}), "cannot be told");
  // Of no numbers in many columns the sums are many.
  ExpectInvalid(model({Node("ReduceSum", {"none"}, {"scales"})}), "cannot be told");
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
  // Computed: of constants laid one behind the other, or of what may have any number of values.
  const auto joined = [&](const Texts& parts) {
    return Model(Graph({Node("Concat", parts, {"s"}), resize("s")}).Add(5, two).Add(5, four));
  };
  EXPECT_TRUE(Passes(joined({"two", "two"})));
  ExpectInvalid(joined({"four", "two"}), "more scales than");
  ExpectInvalid(joined({"two", "x"}), "number of scales cannot be told");
  ExpectInvalid(Model(Graph({resize("x")})), "number of scales cannot be told");
  const Proto constant =
      Node("Constant", {}, {"s"})
          .Add(5, Proto().Add(1, "value_floats").Add(7, std::string(16, 'x')).Add(20, int64_t{6}));
  EXPECT_TRUE(Passes(Model(Graph({constant, resize("s")}))));
  // Its type counts, whatever its name and what else it holds.
  const Proto lists =
      Node("Constant", {}, {"s"})
          .Add(5, Proto().Add(1, "value_float").Add(7, std::string(400, 'x')).Add(20, int64_t{6}));
  ExpectInvalid(Model(Graph({lists, resize("s")})), "more scales than");
  EXPECT_TRUE(Passes(Model(Graph({NodeAround(Graph({resize("four")}), {"z"})}).Add(5, four))));
  // A function: with what each call hands over.
  const Proto function = Function("F", {resize("scales")}, {"x", "scales"});
  const auto call = [&](const char* scales) {
    return Model(Graph({Node("F", {"x", scales}, {"z"}, "d")}).Add(5, four), {function});
  };
  EXPECT_TRUE(Passes(call("four")));
  ExpectInvalid(call("x"), "cannot be told");
}

}  // namespace
}  // namespace tlsc::gate
