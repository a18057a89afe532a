#include "ort/shape_inference.h"

#include <array>
#include <memory>

#include "ort/errors.h"

namespace tlsc::ort {

bool ShapeInference::HasInput(size_t index) const {
  size_t count = 0;
  ThrowIfError(api_, api_.ShapeInferContext_GetInputCount(&context_, &count));
  return index < count;
}

std::optional<Dims> ShapeInference::NchwInput(size_t index) const {
  OrtTensorTypeAndShapeInfo* info = nullptr;  // the context's, not ours to free
  ThrowIfError(api_, api_.ShapeInferContext_GetInputTypeShape(&context_, index, &info));
  constexpr size_t kRank = 4;
  size_t rank = 0;  // also when the model says nothing about the shape
  ThrowIfError(api_, api_.GetDimensionsCount(info, &rank));
  if (rank != kRank) return std::nullopt;  // if it is wrong, the kernel says so
  std::array<int64_t, kRank> sizes = {};
  std::array<const char*, kRank> names = {};
  ThrowIfError(api_, api_.GetDimensions(info, sizes.data(), kRank));
  ThrowIfError(api_, api_.GetSymbolicDimensions(info, names.data(), kRank));

  Dims dims;
  for (size_t i = 0; i < kRank; ++i) {
    Dim dim = {sizes[i], names[i] == nullptr ? "" : names[i]};
    if (!dim.known() && dim.name.empty()) return std::nullopt;
    dims.push_back(dim);
  }
  return dims;
}

void ShapeInference::SetOutput(size_t index, const Dims& dims) {
  OrtTensorTypeAndShapeInfo* input = nullptr;  // the context's, not ours to free
  ThrowIfError(api_, api_.ShapeInferContext_GetInputTypeShape(&context_, 0, &input));
  ONNXTensorElementDataType type;
  ThrowIfError(api_, api_.GetTensorElementType(input, &type));

  OrtTensorTypeAndShapeInfo* raw_info = nullptr;
  ThrowIfError(api_, api_.CreateTensorTypeAndShapeInfo(&raw_info));
  const std::unique_ptr<OrtTensorTypeAndShapeInfo, decltype(api_.ReleaseTensorTypeAndShapeInfo)>
      info(raw_info, api_.ReleaseTensorTypeAndShapeInfo);

  std::vector<int64_t> sizes;
  std::vector<const char*> names;
  for (const Dim& dim : dims) {
    sizes.push_back(dim.size);
    names.push_back(dim.name.c_str());
  }
  ThrowIfError(api_, api_.SetTensorElementType(info.get(), type));
  ThrowIfError(api_, api_.SetDimensions(info.get(), sizes.data(), sizes.size()));
  ThrowIfError(api_, api_.SetSymbolicDimensions(info.get(), names.data(), names.size()));
  ThrowIfError(api_, api_.ShapeInferContext_SetOutputTypeShape(&context_, index, info.get()));
}

}  // namespace tlsc::ort
