#ifndef TLSC_GATE_TENSORS_H_
#define TLSC_GATE_TENSORS_H_

#include <functional>
#include <string>

#include "gate/model.h"

namespace tlsc::gate {

// Bytes that the values of the tensor take in a file, UINT64_MAX where they are more; none for
// types that have no such form: strings, and those that are unknown here.
std::optional<uint64_t> BytesOf(const Tensor& tensor);

// Calls `visit` for every tensor of the model, with how messages speak of it.
void ForEachTensor(const Model& model,
                   const std::function<void(const Tensor&, const std::string&)>& visit);

// Tensors hold what they say, and nothing is declared larger than the limits. Throws Refusal.
void CheckTensors(const Model& model);

}  // namespace tlsc::gate

#endif  // TLSC_GATE_TENSORS_H_
