#include "ort/kernel_context.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "ort/errors.h"

namespace tlsc::ort {
namespace {

std::string ToString(const std::vector<int64_t>& dims) {
  std::string text = "[";
  for (const int64_t dim : dims) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dim);
  }
  return text + "]";
}

const char* NameOf(ONNXTensorElementDataType type) {
  if (type == kElementType<int64_t>) return "int64";
  return type == kElementType<float> ? "float32" : "float16";
}

}  // namespace

NchwShape ExpectNchw(const InputShape& input) {
  const std::vector<int64_t>& dims = input.dims;
  if (dims.size() != 4) {
    throw StatusError(InvalidArgument(input.name, "four dimensions, [N, C, H, W]",
                                      std::to_string(dims.size()) + ", " + ToString(dims)));
  }
  return {static_cast<size_t>(dims[0]), static_cast<size_t>(dims[1]), static_cast<size_t>(dims[2]),
          static_cast<size_t>(dims[3])};
}

void ExpectShape(const InputShape& input, const std::vector<int64_t>& dims) {
  if (input.dims == dims) return;
  throw StatusError(InvalidArgument(input.name, "shape " + ToString(dims), ToString(input.dims)));
}

PlanePlace ReadPlace(const KernelContext& context, size_t index) {
  if (!context.HasInput(index)) return {};
  const InputTensor<int64_t> place = context.Input<int64_t>(index, "place");
  ExpectShape(place, {4});
  const auto [top, left, height, width] =
      std::array{place.data[0], place.data[1], place.data[2], place.data[3]};
  const std::vector<int64_t> given(place.data, place.data + 4);
  if (std::any_of(given.begin(), given.end(), [](int64_t side) { return side < 0; })) {
    throw StatusError(InvalidArgument("place", "nothing below 0", ToString(given)));
  }
  // Of no size on one side alone nothing could be a piece.
  if ((height == 0) != (width == 0)) {
    throw StatusError(
        InvalidArgument("place", "height and width of the whole, or neither", ToString(given)));
  }
  return {{static_cast<size_t>(top), static_cast<size_t>(height)},
          {static_cast<size_t>(left), static_cast<size_t>(width)}};
}

bool KernelContext::HasInput(size_t index) const {
  size_t count = 0;
  ThrowIfError(api_, api_.KernelContext_GetInputCount(&context_, &count));
  if (index >= count) return false;
  const OrtValue* value = nullptr;
  ThrowIfError(api_, api_.KernelContext_GetInput(&context_, index, &value));
  return value != nullptr;
}

InputShape KernelContext::InputOf(ONNXTensorElementDataType type, size_t index, const char* name,
                                  const void*& data) const {
  const OrtValue* value = nullptr;
  ThrowIfError(api_, api_.KernelContext_GetInput(&context_, index, &value));
  if (value == nullptr) throw StatusError(InvalidArgument(name, "a tensor", "no input"));

  OrtTensorTypeAndShapeInfo* raw_info = nullptr;
  ThrowIfError(api_, api_.GetTensorTypeAndShape(value, &raw_info));
  const std::unique_ptr<OrtTensorTypeAndShapeInfo, decltype(api_.ReleaseTensorTypeAndShapeInfo)>
      info(raw_info, api_.ReleaseTensorTypeAndShapeInfo);

  ONNXTensorElementDataType received;
  ThrowIfError(api_, api_.GetTensorElementType(info.get(), &received));
  if (received != type) {
    const std::string expected = NameOf(type);
    throw StatusError(
        InvalidArgument(name, "element type " + expected + " (" + std::to_string(type) + ")",
                        std::to_string(received)));
  }
  size_t rank = 0;
  ThrowIfError(api_, api_.GetDimensionsCount(info.get(), &rank));
  InputShape input = {name, std::vector<int64_t>(rank)};
  ThrowIfError(api_, api_.GetDimensions(info.get(), input.dims.data(), rank));
  void* mutable_data = nullptr;  // API 21 has no call for constant data
  ThrowIfError(api_, api_.GetTensorMutableData(const_cast<OrtValue*>(value), &mutable_data));
  data = mutable_data;
  return input;
}

void* KernelContext::OutputOf(size_t index, const NchwShape& shape) const {
  const int64_t dims[] = {static_cast<int64_t>(shape.batch), static_cast<int64_t>(shape.channels),
                          static_cast<int64_t>(shape.height), static_cast<int64_t>(shape.width)};
  OrtValue* value = nullptr;
  ThrowIfError(api_, api_.KernelContext_GetOutput(&context_, index, dims, 4, &value));
  void* data = nullptr;
  ThrowIfError(api_, api_.GetTensorMutableData(value, &data));
  return data;
}

Status SessionLoop::Run(size_t count, const Task& task) {
  const auto run_one = [](void* state, size_t index) { (*static_cast<const Task*>(state))(index); };
  constexpr size_t kNoLimit = 0;  // leave the grouping of tasks to the pool
  // The C API has no const user data; run_one gives it back its const.
  void* state = const_cast<Task*>(&task);
  const OrtApi& api = context_.api();
  return TakeStatus(
      api, api.KernelContext_ParallelFor(&context_.context(), run_one, count, kNoLimit, state));
}

}  // namespace tlsc::ort
