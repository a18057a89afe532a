#include "run_inputs.h"

#include <utility>

#include "shown_memory.h"

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
    auto owner = OwnerOf(array.data);
    if (array.size == 0 || array.is_shared || owner != nullptr) {
      tensors_.push_back(TensorOver(runtime, array));
      if (owner != nullptr) owners_.push_back(std::move(owner));
      in_place.Set(in_place.Length(), input.Get("data"));
    } else {
      tensors_.push_back(NewTensor(runtime, array.type, array.dims));
      copying_.emplace_back("input " + name, input.Get("data"),
                            MemoryOf(runtime, *tensors_.back()));
    }
    values_.push_back(tensors_.back().get());
  }
  in_place_ = Napi::Persistent(in_place.As<Napi::Object>());
}

bool RunInputs::Copy(size_t most) {
  while (!copying_.empty() && copying_.front().Copy(most)) copying_.pop_front();
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
  owners_.clear();
  handles_.clear();
}

void RunInputs::Unpin() {
  Free();
  copying_.clear();
  in_place_.Reset();
}

}  // namespace tlsc
