#ifndef TLSC_FUZZ_PRETENDED_RUNTIME_H_
#define TLSC_FUZZ_PRETENDED_RUNTIME_H_

#include <onnxruntime_c_api.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// As much of ONNX Runtime as the operators call, with the answers of the real one to what is
// missing, of another type or too large. Its objects are the ones behind ONNX Runtime's opaque
// pointers.
namespace tlsc {

using PretendedAttribute =
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>>;
using PretendedAttributes = std::map<std::string, PretendedAttribute>;

struct PretendedShape {
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  std::vector<int64_t> dims;
  std::vector<std::string> names;  // of dims, empty ones where there is none
};

struct PretendedValue {
  PretendedShape shape;
  std::vector<unsigned char> bytes;
};

// A node while its model is loaded, and while it runs.
struct PretendedNode {
  PretendedAttributes attributes;
  std::vector<PretendedShape> declared_inputs;
  std::optional<PretendedShape> inferred_output;
  std::vector<PretendedValue> inputs;
  std::optional<PretendedValue> output;
};

// The operators that the library registers, in its order.
const std::vector<const OrtCustomOp*>& PretendedOperators();

// The node as what the operators' functions are called with.
OrtKernelInfo* AsKernelInfo(PretendedNode& node);
OrtShapeInferContext* AsShapeInferContext(PretendedNode& node);
OrtKernelContext* AsKernelContext(PretendedNode& node);

// Takes a status: its message, or nothing where there is none. Frees it.
std::optional<std::string> TakeMessage(OrtStatus* status);
OrtErrorCode CodeOf(const OrtStatus* status);

// Statuses and shapes that the operators were given and have not released.
size_t UnreleasedObjects();

}  // namespace tlsc

#endif  // TLSC_FUZZ_PRETENDED_RUNTIME_H_
