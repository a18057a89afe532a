#ifndef TLSC_GATE_LIMITS_H_
#define TLSC_GATE_LIMITS_H_

#include <cstddef>
#include <cstdint>

// What no model may be more of; docs/security.md lists the same. The largest restoration network
// that is known, MAXIM, has 40,000 nodes; ONNX Runtime takes seconds to load as many as these.
namespace tlsc::gate {

// In the file and once its functions are inlined, those in branches and bodies included.
inline constexpr size_t kMostNodes = size_t{1} << 17;

// Calls of the model's own functions, each call in each call counted. ONNX Runtime resolves the
// graph anew when it inlines them.
inline constexpr size_t kMostCalls = size_t{1} << 13;

// Functions that call functions; exporters nest them as deep as the modules of a network.
inline constexpr size_t kDeepestCalls = 200;

// Graphs in the branches and bodies of If, Loop and Scan.
inline constexpr size_t kDeepestGraphs = 24;

// Names, attributes, tensors and whatever else takes memory of its own in a program that reads the
// model, beyond the bytes that it takes in the file.
inline constexpr size_t kMostParts = size_t{1} << 22;

// Values that an input or output is declared with, and that a sparse tensor has with its zeros.
inline constexpr uint64_t kMostValues = uint64_t{1} << 31;

}  // namespace tlsc::gate

#endif  // TLSC_GATE_LIMITS_H_
