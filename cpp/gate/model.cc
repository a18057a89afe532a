#include "gate/model.h"

#include <algorithm>
#include <limits>

#include "gate/limits.h"
#include "gate/refusal.h"
#include "gate/wire.h"

// The numbers of fields are those of onnx.proto (https://github.com/onnx/onnx).
namespace tlsc::gate {
namespace {

uint64_t Times(uint64_t product, uint64_t factor) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  return factor != 0 && product > kMost / factor ? kMost : product * factor;
}

// Values of a repeated field that may be packed, each `size` bytes; 0: each a varint.
uint64_t CountValues(Message& from, uint32_t size) {
  if (!from.has_wire_type(kBytes)) {
    from.skip();
    return 1;
  }
  const std::string_view packed = from.get_view();
  if (size != 0) return packed.size() / size;
  uint64_t count = 0;
  for (const char byte : packed) count += (static_cast<uint8_t>(byte) & 0x80) == 0;
  return count;
}

// Fields of a closed set keep what they were where what is written is none of it.
void SetAttributeType(Attribute& attribute, int32_t type) {
  constexpr int32_t kLastType = 14;
  if (type >= 0 && type <= kLastType) attribute.type = type;
}

void AddField(Tensor& tensor, int64_t value) {
  tensor.fields += 1;
  tensor.lowest_field = std::min(tensor.lowest_field, value);
  tensor.highest_field = std::max(tensor.highest_field, value);
}

class Reader {
 public:
  explicit Reader(const std::atomic<bool>& cancelled) : cancelled_(cancelled) {}

  Model ReadModel(Message from) {
    Model model;
    Once graph("a graph");
    bool has_opset = false;
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kVarint):
          model.ir_version = from.get_int64();
          break;
        case Field(7, kBytes):
          model.graph = ReadGraph(graph.Read(from), 0);
          break;
        case Field(8, kBytes):
          has_opset = true;
          from.skip();
          break;
        case Field(25, kBytes):
          model.functions.push_back(ReadFunction(from.get_message()));
          break;
        default:
          from.skip();
      }
    }
    if (!cancelled_ && (!graph.seen() || model.ir_version <= 0 || !has_opset)) {
      Refuse("is not an ONNX model: it has no graph, IR version or opset");
    }
    return model;
  }

 private:
  // What would take others memory of its own is counted, so that reading ends before it is much.
  bool Next(Message& from) {
    if (cancelled_.load(std::memory_order_relaxed) || !from.next()) return false;
    CountPart();
    return true;
  }

  void CountPart() {
    if (++parts_ > kMostParts) {
      RefuseAsUnsupported("has more than " + std::to_string(kMostParts) + " parts");
    }
  }

  Graph ReadGraph(Message from, size_t depth) {
    if (depth > kDeepestGraphs) {
      RefuseAsUnsupported("has graphs in more than " + std::to_string(kDeepestGraphs) + " graphs");
    }
    Graph graph;
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kBytes):
          graph.nodes.push_back(ReadNode(from.get_message(), depth));
          break;
        case Field(5, kBytes):
          graph.initializers.push_back(ReadTensor(from.get_message()));
          break;
        case Field(11, kBytes):
          graph.inputs.push_back(ReadValue(from.get_message()));
          break;
        case Field(12, kBytes):
          graph.outputs.push_back(ReadValue(from.get_message()));
          break;
        case Field(15, kBytes):
          graph.sparse_initializers.push_back(ReadSparseTensor(from.get_message()));
          break;
        default:
          from.skip();
      }
    }
    return graph;
  }

  Node ReadNode(Message from, size_t depth) {
    if (++nodes_ > kMostNodes) {
      RefuseAsUnsupported("has more than " + std::to_string(kMostNodes) + " nodes");
    }
    Node node;
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kBytes):
          node.inputs.push_back(Text(from));
          break;
        case Field(2, kBytes):
          node.outputs.push_back(Text(from));
          break;
        case Field(3, kBytes):
          node.name = Text(from);
          break;
        case Field(4, kBytes):
          node.op_type = Text(from);
          break;
        case Field(5, kBytes):
          node.attributes.push_back(ReadAttribute(from.get_message(), depth));
          break;
        case Field(7, kBytes):
          node.domain = Text(from);
          break;
        case Field(8, kBytes):
          node.overload = Text(from);
          break;
        default:
          from.skip();
      }
    }
    return node;
  }

  Attribute ReadAttribute(Message from, size_t depth) {
    Attribute attribute;
    Once tensor("a tensor of an attribute");
    Once graph("a graph of an attribute");
    Once sparse("a sparse tensor of an attribute");
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kBytes):
          attribute.name = Text(from);
          break;
        case Field(3, kVarint):
          attribute.integer = from.get_int64();
          break;
        case Field(5, kBytes):
          attribute.tensors.push_back(ReadTensor(tensor.Read(from)));
          break;
        case Field(6, kBytes):
          attribute.graphs.push_back(ReadGraph(graph.Read(from), depth + 1));
          break;
        case Field(7, kBytes):
        case Field(7, kFixed32):
          attribute.floats += CountValues(from, 4);
          break;
        case Field(8, kVarint):
        case Field(8, kBytes):
          ReadIntegers(from, [&](int64_t value) {
            attribute.integers += 1;
            attribute.lowest_integer = std::min(attribute.lowest_integer, value);
            attribute.highest_integer = std::max(attribute.highest_integer, value);
          });
          break;
        case Field(10, kBytes):
          attribute.tensors.push_back(ReadTensor(from.get_message()));
          break;
        case Field(11, kBytes):
          Refuse("has a list of graphs in an attribute, which no operator takes");
        case Field(20, kVarint):
          SetAttributeType(attribute, from.get_enum());
          break;
        case Field(21, kBytes):
          attribute.reference = Text(from);
          break;
        case Field(22, kBytes):
          attribute.sparse_tensors.push_back(ReadSparseTensor(sparse.Read(from)));
          break;
        case Field(23, kBytes):
          attribute.sparse_tensors.push_back(ReadSparseTensor(from.get_message()));
          break;
        default:
          from.skip();
      }
    }
    return attribute;
  }

  Tensor ReadTensor(Message from) {
    Tensor tensor;
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kVarint):
        case Field(1, kBytes):
          ReadIntegers(from, [&](int64_t size) {
            tensor.axes += 1;
            tensor.has_negative_size |= size < 0;
            tensor.count = Times(tensor.count, static_cast<uint64_t>(size));
          });
          break;
        case Field(2, kVarint):
          tensor.data_type = from.get_enum();
          break;
        case Field(4, kBytes):
        case Field(4, kFixed32):
          tensor.fields += CountValues(from, 4);
          break;
        case Field(5, kBytes):
        case Field(5, kVarint):
          ReadIntegers(from, [&](int64_t value) { AddField(tensor, static_cast<int32_t>(value)); });
          break;
        case Field(7, kBytes):
        case Field(7, kVarint):
          ReadIntegers(from, [&](int64_t value) { AddField(tensor, value); });
          break;
        case Field(11, kBytes):
        case Field(11, kVarint):
          tensor.fields += CountValues(from, 0);
          break;
        case Field(10, kBytes):
        case Field(10, kFixed64):
          tensor.fields += CountValues(from, 8);
          break;
        case Field(6, kBytes):
          tensor.fields += 1;
          from.skip();
          break;
        case Field(8, kBytes):
          tensor.name = Text(from);
          break;
        case Field(9, kBytes):
          tensor.raw = Text(from);
          break;
        case Field(13, kBytes):
          ReadPlace(from.get_message(), tensor);
          break;
        case Field(14, kVarint):
          tensor.is_external = ReadLocation(from);
          break;
        default:
          from.skip();
      }
    }
    return tensor;
  }

  static bool ReadLocation(Message& from) {
    const int32_t location = from.get_enum();
    if (location != 0 && location != 1) Refuse("keeps a tensor in a place that is none of ONNX's");
    return location == 1;
  }

  // One of the entries that say where external data lies.
  void ReadPlace(Message from, Tensor& tensor) {
    std::string_view key;
    std::string_view value;
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kBytes):
          key = Text(from);
          break;
        case Field(2, kBytes):
          value = Text(from);
          break;
        default:
          from.skip();
      }
    }
    std::optional<std::string_view>* const place = key == "location" ? &tensor.location
                                                   : key == "offset" ? &tensor.offset
                                                   : key == "length" ? &tensor.length
                                                                     : nullptr;
    if (place == nullptr) return;
    if (place->has_value()) Refuse("says of a tensor twice where its data lies");
    *place = value;
  }

  SparseTensor ReadSparseTensor(Message from) {
    SparseTensor sparse;
    Once values("the values of a sparse tensor");
    Once indices("the indices of a sparse tensor");
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kBytes):
          sparse.values = ReadTensor(values.Read(from));
          break;
        case Field(2, kBytes):
          sparse.indices = ReadTensor(indices.Read(from));
          break;
        case Field(3, kVarint):
        case Field(3, kBytes):
          ReadIntegers(from, [&](int64_t size) {
            sparse.has_negative_size |= size < 0;
            sparse.count = Times(sparse.count, static_cast<uint64_t>(size));
          });
          break;
        default:
          from.skip();
      }
    }
    return sparse;
  }

  Value ReadValue(Message from) {
    Value value;
    Once type("the type of a value");
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kBytes):
          value.name = Text(from);
          break;
        case Field(2, kBytes):
          ReadType(type.Read(from), value);
          break;
        default:
          from.skip();
      }
    }
    return value;
  }

  void ReadType(Message from, Value& value) {
    Once tensor("a tensor type");
    while (Next(from)) {
      if (FieldOf(from) == Field(1, kBytes)) {
        ReadTensorType(tensor.Read(from), value);
      } else {
        from.skip();
      }
    }
  }

  void ReadTensorType(Message from, Value& value) {
    Once shape("a shape");
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(2, kBytes):
          ReadShape(shape.Read(from), value);
          break;
        default:
          from.skip();
      }
    }
  }

  void ReadShape(Message from, Value& value) {
    value.axes = 0;
    while (Next(from)) {
      if (FieldOf(from) == Field(1, kBytes)) {
        *value.axes += 1;
        ReadSide(from.get_message(), value);
      } else {
        from.skip();
      }
    }
  }

  void ReadSide(Message from, Value& value) {
    std::optional<int64_t> side;
    bool is_named = false;
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kVarint):
          side = from.get_int64();
          break;
        case Field(2, kBytes):
          is_named = true;
          from.skip();
          break;
        default:
          from.skip();
      }
    }
    // What is below 0 is a way of some exporters to say that it is free.
    value.has_free_side |= !side || *side < 0 || is_named;
    if (side && *side >= 0) value.count = Times(value.count, static_cast<uint64_t>(*side));
  }

  Function ReadFunction(Message from) {
    Function function;
    while (Next(from)) {
      switch (FieldOf(from)) {
        case Field(1, kBytes):
          function.name = Text(from);
          break;
        case Field(4, kBytes):
          function.inputs.push_back(Text(from));
          break;
        case Field(5, kBytes):
          function.outputs.push_back(Text(from));
          break;
        case Field(7, kBytes):
          function.nodes.push_back(ReadNode(from.get_message(), 0));
          break;
        case Field(10, kBytes):
          function.domain = Text(from);
          break;
        case Field(11, kBytes):
          function.attributes.push_back(ReadAttribute(from.get_message(), 0));
          break;
        case Field(13, kBytes):
          function.overload = Text(from);
          break;
        default:
          from.skip();
      }
    }
    return function;
  }

  const std::atomic<bool>& cancelled_;
  size_t parts_ = 0;
  size_t nodes_ = 0;
};

}  // namespace

Model ReadModel(std::string_view bytes, const std::atomic<bool>& cancelled) {
  try {
    return Reader(cancelled).ReadModel(Message(bytes));
  } catch (const protozero::exception&) {
    Refuse("is not an ONNX model, or is cut short");
  }
}

const Attribute* FindAttribute(const Node& node, std::string_view name) {
  for (const Attribute& attribute : node.attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

std::string LabelOf(const Node& node) {
  if (!node.name.empty()) return Shown(node.name);
  const std::string_view output = node.outputs.empty() ? "nothing" : node.outputs.front();
  return Shown(node.op_type) + " (computes " + Shown(output) + ")";
}

std::string_view NormalDomain(std::string_view domain) {
  return domain == "ai.onnx" ? std::string_view() : domain;
}

}  // namespace tlsc::gate
