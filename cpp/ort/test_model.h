#ifndef TLSC_ORT_TEST_MODEL_H_
#define TLSC_ORT_TEST_MODEL_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// Writes an ONNX model of one node, for tests: enough of the protobuf wire format for that, so that
// they need neither protobuf nor models as opaque bytes. Field numbers are those of onnx.proto.
namespace tlsc::ort {

// A size, the name of a symbolic one, or "" for unknown.
using TestDim = std::variant<int64_t, std::string>;

// TensorProto's numbers of the element types, which are ONNX Runtime's.
enum TestElementType : int64_t { kTestFloat = 1, kTestFloat16 = 10, kTestDouble = 11 };

struct TestValue {
  std::string name;
  std::vector<TestDim> dims;
  TestElementType type = kTestFloat;
};

using TestAttribute = std::variant<float, std::string, int64_t, std::vector<int64_t>>;
using TestAttributes = std::vector<std::pair<std::string, TestAttribute>>;

struct TestNode {
  std::string op_type;
  std::vector<TestValue> inputs;  // they become the inputs of the model
  TestAttributes attributes;
};

class TestModelWriter {
 public:
  // The node's output, "Y", is the model's, and is declared without a shape; it has the element
  // type of the first input.
  static std::string Write(const TestNode& node) {
    Message graph;
    graph.Bytes(1, WriteNode(node)).Bytes(2, "test");
    for (const TestValue& input : node.inputs) graph.Bytes(11, WriteValue(input));
    Message output_tensor;
    output_tensor.Int(1, node.inputs.front().type);
    graph.Bytes(12, Message().Bytes(1, "Y").Bytes(2, Message().Bytes(1, output_tensor)));
    constexpr int64_t kIrVersion = 8;
    return Message()
        .Int(1, kIrVersion)
        .Bytes(7, graph)
        .Bytes(8, Message().Bytes(1, "").Int(2, 17))
        .Bytes(8, Message().Bytes(1, "tlsc").Int(2, 1));
  }

 private:
  class Message {
   public:
    Message& Int(uint64_t field, int64_t value) {
      Varint(field << 3 | 0);
      Varint(static_cast<uint64_t>(value));
      return *this;
    }
    Message& Bytes(uint64_t field, const std::string& bytes) {
      Varint(field << 3 | 2);
      Varint(bytes.size());
      bytes_ += bytes;
      return *this;
    }
    Message& Float(uint64_t field, float value) {
      Varint(field << 3 | 5);
      char bytes[sizeof(value)];
      std::memcpy(bytes, &value, sizeof(value));  // the wire is little-endian, as our machines are
      bytes_.append(bytes, sizeof(bytes));
      return *this;
    }
    operator std::string() const { return bytes_; }

   private:
    void Varint(uint64_t value) {
      for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
      bytes_ += static_cast<char>(value);
    }

    std::string bytes_;
  };

  static Message WriteNode(const TestNode& node) {
    Message message;
    for (const TestValue& input : node.inputs) message.Bytes(1, input.name);
    message.Bytes(2, "Y").Bytes(4, node.op_type).Bytes(7, "tlsc");
    for (const auto& [name, value] : node.attributes) {
      message.Bytes(5, WriteAttribute(name, value));
    }
    return message;
  }

  static Message WriteAttribute(const std::string& name, const TestAttribute& value) {
    enum Type { kTypeFloat = 1, kTypeInt = 2, kTypeString = 3, kTypeInts = 7 };
    Message message;
    message.Bytes(1, name);
    if (const auto* f = std::get_if<float>(&value)) message.Float(2, *f).Int(20, kTypeFloat);
    if (const auto* i = std::get_if<int64_t>(&value)) message.Int(3, *i).Int(20, kTypeInt);
    if (const auto* s = std::get_if<std::string>(&value)) message.Bytes(4, *s).Int(20, kTypeString);
    if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
      for (const int64_t i : *ints) message.Int(8, i);
      message.Int(20, kTypeInts);
    }
    return message;
  }

  static Message WriteValue(const TestValue& value) {
    Message shape;
    for (const TestDim& dim : value.dims) {
      Message dim_message;
      if (const auto* size = std::get_if<int64_t>(&dim)) dim_message.Int(1, *size);
      const auto* name = std::get_if<std::string>(&dim);
      if (name != nullptr && !name->empty()) dim_message.Bytes(2, *name);
      shape.Bytes(1, dim_message);
    }
    Message tensor;
    tensor.Int(1, value.type).Bytes(2, shape);
    return Message().Bytes(1, value.name).Bytes(2, Message().Bytes(1, tensor));
  }
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_TEST_MODEL_H_
