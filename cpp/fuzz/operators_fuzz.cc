// The adapters of the operators: nodes with any attributes and shapes, as a model from elsewhere
// may have them. A node is refused with a message that names its operator, or runs and gives what
// was inferred.
#include <algorithm>
#include <cstring>

#include "fuzz/fuzz_input.h"
#include "fuzz/pretended_runtime.h"

namespace tlsc {
namespace {

PretendedAttribute AnyAttribute(FuzzInput& input) {
  const auto integers = [&] {
    std::vector<int64_t> values(input.Below(5));
    for (int64_t& value : values) value = input.AnyInteger();
    return values;
  };
  switch (input.Below(6)) {
    case 0:
      return input.AnyInteger();
    case 1:
      return input.AnyFloat();
    case 2:
      return std::string(input.Below(4), 'a');
    case 3:
      return std::vector<float>(input.Below(4), input.AnyFloat());
    case 4:
      return integers();
    default:
      return std::vector<int64_t>{1 + static_cast<int64_t>(input.Below(9)),
                                  1 + static_cast<int64_t>(input.Below(9))};
  }
}

// Most nodes have what their operator wants, or something else in its place.
PretendedAttributes AnyAttributes(FuzzInput& input) {
  PretendedAttributes attributes;
  const auto may_add = [&](const char* name, const PretendedAttribute& fitting) {
    if (input.OneIn(8)) {
      attributes[name] = AnyAttribute(input);
    } else if (!input.OneIn(8)) {
      attributes[name] = fitting;
    }
  };
  const auto side = [&] { return 1 + static_cast<int64_t>(input.Below(9)); };
  const int64_t height = side();
  may_add("kernel_shape", std::vector<int64_t>{height, side()});
  may_add("num_groups", 1 + static_cast<int64_t>(input.Below(3)));
  may_add("epsilon", input.Pick({1e-5f, 0.0f, -1.0f}));
  may_add("replicate", static_cast<int64_t>(input.Below(2)));
  if (input.OneIn(3)) may_add("max_stride", std::vector<int64_t>{2, side()});
  return attributes;
}

std::vector<int64_t> AnyDims(FuzzInput& input) {
  if (input.OneIn(8)) {
    std::vector<int64_t> dims(input.Below(7));
    for (int64_t& dim : dims) dim = std::max<int64_t>(input.AnyInteger(), 0);
    return dims;
  }
  const auto size = [&](size_t most) { return static_cast<int64_t>(input.Below(most)); };
  std::vector<int64_t> dims = {1, 1 + size(3), 1 + size(9), 1 + size(9)};
  if (input.OneIn(4)) dims[0] = size(10);
  return dims;
}

// Whether a tensor of these dimensions can exist here.
bool IsSmall(const std::vector<int64_t>& dims) {
  int64_t elements = 1;
  for (const int64_t dim : dims) {
    if (dim == 0) return true;
  }
  for (const int64_t dim : dims) {
    if (dim > 4096 / elements) return false;
    elements *= dim;
  }
  return true;
}

PretendedValue ValueOf(FuzzInput& input, ONNXTensorElementDataType type,
                       const std::vector<int64_t>& dims) {
  PretendedValue value;
  value.shape = {type, dims, std::vector<std::string>(dims.size())};
  size_t elements = 1;
  for (const int64_t dim : dims) {
    if (dim == 0) elements = 0;
  }
  for (const int64_t dim : dims) elements *= elements > 0 ? static_cast<size_t>(dim) : 1;
  const size_t bytes = type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT ? 4 : 2;
  value.bytes.assign(elements * bytes, input.Byte());
  return value;
}

// Where a plane lies in one that it is a piece of: most times somewhere near, or anything.
PretendedValue AnyPlace(FuzzInput& input) {
  const size_t count = input.OneIn(16) ? input.Below(6) : 4;
  std::vector<int64_t> place(count);
  for (int64_t& side : place) {
    side = input.OneIn(16) ? input.AnyInteger() : static_cast<int64_t>(input.Below(24));
  }
  PretendedValue value;
  value.shape = {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {static_cast<int64_t>(count)}, {""}};
  value.bytes.resize(count * sizeof(int64_t));
  if (count > 0) std::memcpy(value.bytes.data(), place.data(), value.bytes.size());
  return value;
}

// What a model may say of a tensor of these dimensions: them, names for them, or anything.
PretendedShape DeclarationOf(FuzzInput& input, const PretendedShape& shape) {
  PretendedShape declared = shape;
  for (size_t i = 0; i < declared.dims.size(); ++i) {
    if (!input.OneIn(4)) continue;
    declared.dims[i] = -1;
    if (input.OneIn(2)) declared.names[i] = input.OneIn(2) ? "a" : "b";
  }
  return declared;
}

// That a message says which operator it comes from.
void ExpectNames(const std::string& message, const char* op) {
  Expect(message.rfind(std::string(op) + ": ", 0) == 0, "a message that begins with the operator");
}

void Infer(const OrtCustomOp& op, PretendedNode& node) {
  Expect(op.InferOutputShapeFn(&op, AsShapeInferContext(node)) == nullptr,
         "inference that reports nothing");
  if (!node.inferred_output) return;
  for (size_t i = 0; i < node.inferred_output->dims.size(); ++i) {
    Expect(node.inferred_output->dims[i] >= 0 || !node.inferred_output->names[i].empty(),
           "sizes or names for all dimensions of an inferred shape");
  }
}

void Run(FuzzInput& input) {
  const auto& operators = PretendedOperators();
  const OrtCustomOp& op = *operators[input.Byte() % operators.size()];
  const char* name = op.GetName(&op);
  PretendedNode node;
  node.attributes = AnyAttributes(input);

  // Shapes that no tensor here has: for inference alone.
  const bool huge = input.OneIn(4);
  const size_t inputs = op.GetInputTypeCount(&op);
  const std::vector<int64_t> first = AnyDims(input);
  for (size_t i = 0; i < inputs; ++i) {
    if (op.GetInputType(&op, i) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
      if (input.OneIn(3)) break;  // it is optional, and the last one
      const PretendedValue place = AnyPlace(input);
      node.declared_inputs.push_back(place.shape);
      if (!huge) node.inputs.push_back(place);
      continue;
    }
    std::vector<int64_t> dims = first;
    if (i > 0) {
      const bool has_place =
          op.GetInputType(&op, inputs - 1) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
      const bool per_channel = inputs == 3 && !has_place && first.size() > 1;
      dims = per_channel ? std::vector<int64_t>{first[1]} : AnyDims(input);
      if (!per_channel && input.OneIn(2)) dims = first;
    }
    if (huge) {
      for (int64_t& dim : dims) {
        if (input.OneIn(2)) dim = input.AnyInteger();
      }
    }
    const PretendedShape shape = {op.GetInputType(&op, 0), dims,
                                  std::vector<std::string>(dims.size())};
    node.declared_inputs.push_back(DeclarationOf(input, shape));
    if (!huge && !IsSmall(dims)) return;
    if (!huge) {
      const auto type = input.OneIn(32) ? ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE : shape.type;
      node.inputs.push_back(ValueOf(input, type, dims));
    }
  }
  Infer(op, node);

  void* kernel = nullptr;
  if (const auto message =
          TakeMessage(op.CreateKernelV2(&op, nullptr, AsKernelInfo(node), &kernel))) {
    ExpectNames(*message, name);
    Expect(kernel == nullptr, "no kernel of a node that is refused");
    return;
  }
  if (!huge) {
    if (const auto message = TakeMessage(op.KernelComputeV2(kernel, AsKernelContext(node)))) {
      ExpectNames(*message, name);
      Expect(message->find("a negative dimension") == std::string::npos,
             "no output of a negative size");
    } else {
      Expect(node.output.has_value(), "an output");
      if (node.inferred_output) {
        const std::vector<int64_t>& inferred = node.inferred_output->dims;
        const std::vector<int64_t>& dims = node.output->shape.dims;
        Expect(inferred.size() == dims.size(), "an output of the rank that was inferred");
        for (size_t i = 0; i < dims.size(); ++i) {
          Expect(inferred[i] == dims[i] || inferred[i] < 0,
                 "an output of the size that was inferred");
        }
      }
    }
  }
  op.KernelDestroy(kernel);
}

}  // namespace
}  // namespace tlsc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tlsc::FuzzInput input(data, size);
  tlsc::Run(input);
  tlsc::Expect(tlsc::UnreleasedObjects() == 0, "everything released that ONNX Runtime gave");
  return 0;
}
