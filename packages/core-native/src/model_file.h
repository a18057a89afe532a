#ifndef TLSC_CORE_NATIVE_MODEL_FILE_H_
#define TLSC_CORE_NATIVE_MODEL_FILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tlsc {

// The bytes of a model, read once: what is looked at is what ONNX Runtime gets, whatever becomes of
// the file.
class ModelBytes {
 public:
  // Of that size, to be filled.
  explicit ModelBytes(size_t size) : data_(new uint8_t[size]), size_(size) {}
  // Of a regular file. Throws kModelNotFound, kInvalidModel where it is larger than any model.
  static ModelBytes Read(const std::string& path);

  uint8_t* data() { return data_.get(); }
  size_t size() const { return size_; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }

 private:
  std::unique_ptr<uint8_t[]> data_;  // a vector would fill it with zeros first
  size_t size_;
};

// A path, or the bytes of the file.
using ModelSource = std::variant<std::string, ModelBytes>;

// A model that the gate has let through.
struct CheckedModel {
  ModelBytes bytes;
  std::optional<std::string> data_folder;  // of its external data
};

// `data_folder` is that of a model given as bytes; empty: none. Throws kModelNotFound,
// kInvalidModel, kUnsupportedModel or kInvalidArgument as the gate has it; kAborted once
// `cancelled`.
CheckedModel LoadChecked(ModelSource source, const std::string& data_folder,
                         const std::atomic<bool>& cancelled);

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_MODEL_FILE_H_
