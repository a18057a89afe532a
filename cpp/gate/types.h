#ifndef TLSC_GATE_TYPES_H_
#define TLSC_GATE_TYPES_H_

#include <cstdint>

// ONNX's numbers of the types of a tensor's values (TensorProto.DataType).
namespace tlsc::gate {

inline constexpr int32_t kFloat = 1;
inline constexpr int32_t kUint8 = 2;
inline constexpr int32_t kInt8 = 3;
inline constexpr int32_t kUint16 = 4;
inline constexpr int32_t kInt16 = 5;
inline constexpr int32_t kInt32 = 6;
inline constexpr int32_t kInt64 = 7;
inline constexpr int32_t kString = 8;
inline constexpr int32_t kBool = 9;
inline constexpr int32_t kFloat16 = 10;
inline constexpr int32_t kDouble = 11;
inline constexpr int32_t kUint32 = 12;
inline constexpr int32_t kUint64 = 13;
inline constexpr int32_t kComplex64 = 14;
inline constexpr int32_t kComplex128 = 15;
inline constexpr int32_t kBfloat16 = 16;
inline constexpr int32_t kFloat8E4M3FN = 17;
inline constexpr int32_t kFloat8E4M3FNUZ = 18;
inline constexpr int32_t kFloat8E5M2 = 19;
inline constexpr int32_t kFloat8E5M2FNUZ = 20;
inline constexpr int32_t kUint4 = 21;
inline constexpr int32_t kInt4 = 22;
inline constexpr int32_t kFloat4E2M1 = 23;
inline constexpr int32_t kFloat8E8M0 = 24;
inline constexpr int32_t kUint2 = 25;
inline constexpr int32_t kInt2 = 26;

// The same of the types of attributes (AttributeProto.AttributeType).
inline constexpr int32_t kAttributeFloat = 1;
inline constexpr int32_t kAttributeInt = 2;
inline constexpr int32_t kAttributeString = 3;
inline constexpr int32_t kAttributeTensor = 4;
inline constexpr int32_t kAttributeFloats = 6;
inline constexpr int32_t kAttributeInts = 7;

}  // namespace tlsc::gate

#endif  // TLSC_GATE_TYPES_H_
