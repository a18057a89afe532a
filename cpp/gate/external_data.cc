#include "gate/external_data.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <system_error>

#include "gate/refusal.h"
#include "gate/tensors.h"

namespace tlsc::gate {
namespace {

namespace fs = std::filesystem;

// Where a tensor claims that its values lie.
struct Slice {
  std::string location;
  uint64_t offset;
  uint64_t length;
};

// Whether a path leads out of the folder that it is relative to, on any system.
bool LeadsOut(const std::string& path) {
  if (path.find_first_of("/\\") == 0) return true;
  if (path.size() > 1 && path[1] == ':') return true;  // C:
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find_first_of("/\\", begin), path.size());
    if (path.compare(begin, end - begin, "..") == 0) return true;
    begin = end + 1;
  }
  return false;
}

// `otherwise` where nothing is written; none where that is no number of bytes.
std::optional<uint64_t> ReadBytes(const std::optional<std::string_view>& text, uint64_t otherwise) {
  if (!text) return otherwise;
  uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, value);
  const bool is_number = error == std::errc() && stopped == end && text->size() <= 15;
  return is_number ? std::optional<uint64_t>(value) : std::nullopt;
}

// The message about `label` from "in" on is `where`.
[[noreturn]] void RefusePlace(const std::string& label, const std::string& where) {
  Refuse("keeps " + label + " in " + where);
}

Slice SliceOf(const Tensor& tensor, const std::string& label) {
  const std::string location(tensor.location.value_or(""));
  const std::string shown = Shown(location);
  if (location.empty()) RefusePlace(label, "a file without a name");
  // ONNX Runtime takes the first for an address in memory.
  if (location.compare(0, 2, "*/") == 0 || location.find('\0') != std::string::npos) {
    RefusePlace(label, shown + ", which is not a file");
  }
  if (LeadsOut(location)) RefusePlace(label, shown + ", which is outside the model's folder");
  const std::optional<uint64_t> needed = BytesOf(tensor);
  if (!needed) RefusePlace(label, shown + ", where tensors of its type cannot be");
  const std::optional<uint64_t> offset = ReadBytes(tensor.offset, 0);
  const std::optional<uint64_t> length = ReadBytes(tensor.length, *needed);
  if (!offset || length != needed) {
    const auto written = [](const std::optional<std::string_view>& text, uint64_t otherwise) {
      return text ? Shown(*text) : std::to_string(otherwise);
    };
    RefusePlace(label, shown + ", of which it takes " + written(tensor.length, *needed) +
                           " bytes from " + written(tensor.offset, 0) + " on; it needs " +
                           std::to_string(*needed));
  }
  return {location, *offset, *length};
}

// Sizes of the files of a folder.
class Files {
 public:
  explicit Files(const std::string& folder) : name_(folder) {
    std::error_code error;
    folder_ = fs::canonical(fs::u8path(folder), error);
    if (error) folder_.clear();
  }

  uint64_t SizeOf(const std::string& location, const std::string& label) {
    const auto known = sizes_.find(location);
    if (known != sizes_.end()) return known->second;
    std::error_code error;
    const fs::path path =
        folder_.empty() ? fs::path() : fs::canonical(folder_ / fs::u8path(location), error);
    if (folder_.empty() || error || !fs::is_regular_file(path, error)) {
      throw Refusal(Reason::kMissingFile, "keeps " + label + " in " + Shown(location) +
                                              ": there is no such file in " + name_);
    }
    const auto [end_of_folder, rest] =
        std::mismatch(folder_.begin(), folder_.end(), path.begin(), path.end());
    if (end_of_folder != folder_.end()) {
      RefusePlace(label, Shown(location) + ", a link out of the model's folder");
    }
    return sizes_[location] = fs::file_size(path);
  }

 private:
  const std::string& name_;
  fs::path folder_;
  std::map<std::string, uint64_t> sizes_;
};

}  // namespace

void CheckExternalData(const Model& model, const std::optional<std::string>& folder) {
  std::optional<Files> files;
  if (folder) files.emplace(*folder);
  ForEachTensor(model, [&](const Tensor& tensor, const std::string& label) {
    if (!tensor.is_external) return;
    const Slice slice = SliceOf(tensor, label);
    if (!files) {
      throw Refusal(Reason::kNeedsFolder,
                    "keeps " + label + " in " + Shown(slice.location) +
                        "; name the folder of that file in the option externalDataFolder, or give "
                        "the model's path");
    }
    const uint64_t size = files->SizeOf(slice.location, label);
    if (slice.offset + slice.length <= size) return;
    RefusePlace(label, Shown(slice.location) + ", which ends at " + std::to_string(size) +
                           " bytes, not " + std::to_string(slice.offset + slice.length));
  });
}

}  // namespace tlsc::gate
