#ifndef TLSC_GATE_TEST_MODELS_H_
#define TLSC_GATE_TEST_MODELS_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <vector>

#include "gate/gate.h"

// Models for the tests of the gate, written field by field, and what the gate says of them.
namespace tlsc::gate {

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

inline Proto Node(const std::string& op_type, const Texts& inputs, const Texts& outputs,
                  const std::string& domain = "") {
  Proto node;
  return node.Add(1, inputs).Add(2, outputs).Add(4, op_type).Add(7, domain);
}

// With one attribute that holds a graph.
inline Proto NodeAround(const Proto& graph, const Texts& outputs) {
  return Node("If", {"condition"}, outputs).Add(5, Proto().Add(1, "then_branch").Add(6, graph));
}

inline Proto Graph(const std::vector<Proto>& nodes) {
  Proto graph;
  for (const Proto& node : nodes) graph.Add(1, node);
  return graph;
}

// A function of domain `d` with input `x` and output `y`.
inline Proto Function(const std::string& name, const std::vector<Proto>& nodes,
                      const Texts& inputs = {"x"}) {
  Proto function;
  function.Add(1, name).Add(4, inputs).Add(5, "y").Add(10, "d");
  for (const Proto& node : nodes) function.Add(7, node);
  return function;
}

inline Proto Model(const Proto& graph, const std::vector<Proto>& functions = {}) {
  Proto model;
  model.Add(1, int64_t{8}).Add(8, Proto().Add(2, int64_t{17})).Add(7, graph);
  for (const Proto& function : functions) model.Add(25, function);
  return model;
}

inline Proto Floats(const std::string& name, int64_t count, size_t held) {
  return Proto().Add(1, count).Add(2, int64_t{1}).Add(8, name).Add(9, std::string(held * 4, 'x'));
}

inline Proto External(const std::string& location, int64_t count = 4, const char* offset = nullptr,
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

inline Verdict Judge(const std::string& bytes, const std::optional<std::string>& folder = {}) {
  try {
    Check(bytes, folder, false);
    return {};
  } catch (const Refusal& refusal) {
    return {refusal.reason(), refusal.what()};
  }
}

inline Verdict Judge(const Proto& model, const std::optional<std::string>& folder = {}) {
  return Judge(model.bytes(), folder);
}

inline testing::AssertionResult Passes(const Proto& model) {
  const Verdict verdict = Judge(model);
  if (verdict.message.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << verdict.message;
}

inline void ExpectRefused(const Verdict& verdict, Reason reason, const std::string& words) {
  EXPECT_NE(verdict.message.find(words), std::string::npos) << "said: " << verdict.message;
  EXPECT_EQ(verdict.reason, reason);
}

inline void ExpectInvalid(const Proto& model, const std::string& words) {
  ExpectRefused(Judge(model), Reason::kInvalid, words);
}

inline void ExpectUnsupported(const Proto& model, const std::string& words) {
  ExpectRefused(Judge(model), Reason::kUnsupported, words);
}

inline const Proto kRelu = Node("Relu", {"x"}, {"y"});

}  // namespace tlsc::gate

#endif  // TLSC_GATE_TEST_MODELS_H_
