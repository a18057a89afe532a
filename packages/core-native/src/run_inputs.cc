#include "run_inputs.h"

#include <algorithm>
#include <cstring>

namespace tlsc {

RunInputs::RunInputs(const Runtime& runtime, const Napi::Array& inputs) : runtime_(runtime) {
  Napi::Array in_place = Napi::Array::New(inputs.Env());
  for (uint32_t i = 0; i < inputs.Length(); ++i) {
    const auto input = inputs.Get(i).As<Napi::Object>();
    const std::string& name = names_.emplace_back(input.Get("name").ToString());
    if (input.Has("handle")) {
      handles_.emplace_back(i, FromDeviceTensor(name, input));
      values_.push_back(handles_.back().second->value.get());
      continue;
    }
    const ArrayTensor array = ReadArrayTensor(name, input);
    auto behind = TensorBehind(array.data);
    if (array.size == 0 || array.is_shared || behind != nullptr) {
      tensors_.push_back(TensorOver(runtime, array));
      if (behind != nullptr) behind_.push_back(std::move(behind));
      in_place.Set(in_place.Length(), input.Get("data"));
    } else {
      tensors_.push_back(NewTensor(runtime, array.type, array.dims));
      copying_.push_back({i, Napi::Persistent(input.Get("data").As<Napi::Object>()),
                          static_cast<char*>(MemoryOf(runtime, *tensors_.back())), array.size, 0});
    }
    values_.push_back(tensors_.back().get());
  }
  in_place_ = Napi::Persistent(in_place.As<Napi::Object>());
}

bool RunInputs::Copy(size_t most) {
  while (!copying_.empty() && most > 0) {
    Copying& next = copying_.front();
    const Bytes bytes = BytesOf(next.from.Value());
    if (bytes.size < next.size) {
      throw Error(ErrorCode::kInvalidArgument,
                  "input " + names_[next.index] +
                      ": its memory was transferred or made smaller before the run had copied it");
    }
    const size_t size = std::min(most, next.size - next.done);
    std::memcpy(next.to + next.done, static_cast<const char*>(bytes.data) + next.done, size);
    next.done += size;
    most -= size;
    if (next.done == next.size) copying_.pop_front();
  }
  return copying_.empty();
}

// ONNX Runtime looks at no tensor of another library of its, and a session on the CPU at none on
// a card.
void RunInputs::BringWithinReach(const Session& session) {
  for (const auto& [index, handle] : handles_) {
    const bool is_ours = handle->runtime == &runtime_;
    const std::optional<int> card = CardOf(*handle->runtime, *handle->value);
    if (is_ours && (!card || card == session.card())) continue;
    tensors_.push_back(CopyOf(*handle->runtime, *handle->value, runtime_));
    values_[index] = tensors_.back().get();
  }
}

void RunInputs::Free() {
  values_.clear();
  tensors_.clear();
  behind_.clear();
  handles_.clear();
}

void RunInputs::Unpin() {
  Free();
  copying_.clear();
  in_place_.Reset();
}

}  // namespace tlsc
