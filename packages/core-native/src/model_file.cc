#include "model_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "errors.h"
#include "gate/gate.h"

#ifdef _WIN32
#include <fstream>
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace tlsc {
namespace {

namespace fs = std::filesystem;

// No protobuf message is larger.
constexpr uintmax_t kMostBytes = std::numeric_limits<int32_t>::max();

[[noreturn]] void NotFound(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::kModelNotFound, "cannot read the model " + path + ": " + why);
}

constexpr const char* kIsFolder = "it is a folder";
constexpr const char* kIsPipe = "it is a pipe, not a file";
constexpr const char* kIsNoFile = "it is a device or a socket, not a file";

size_t Checked(uintmax_t size) {
  if (size > kMostBytes) {
    throw Error(ErrorCode::kInvalidModel, "the model is no ONNX model: it is larger than 2 GiB");
  }
  return static_cast<size_t>(size);
}

#ifndef _WIN32
void CheckRegular(const std::string& path, const struct stat& info) {
  if (S_ISDIR(info.st_mode)) NotFound(path, kIsFolder);
  if (S_ISFIFO(info.st_mode)) NotFound(path, kIsPipe);
  if (!S_ISREG(info.st_mode)) NotFound(path, kIsNoFile);
}

// Closes when it goes.
class Descriptor {
 public:
  // Not blocking: who opens a pipe would wait for its other end.
  explicit Descriptor(const std::string& path)
      : number_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (number_ < 0) NotFound(path, errno == ENOENT ? "no such file" : std::strerror(errno));
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(number_); }

  int number() const { return number_; }

 private:
  int number_;
};
#endif

ErrorCode CodeOf(gate::Reason reason) {
  switch (reason) {
    case gate::Reason::kUnsupported:
      return ErrorCode::kUnsupportedModel;
    case gate::Reason::kNeedsFolder:
      return ErrorCode::kInvalidArgument;
    case gate::Reason::kMissingFile:
      return ErrorCode::kModelNotFound;
    default:
      return ErrorCode::kInvalidModel;
  }
}

std::string FolderOf(const std::string& path) {
  const std::string folder = fs::u8path(path).parent_path().u8string();
  return folder.empty() ? "." : folder;
}

}  // namespace

ModelBytes ModelBytes::Read(const std::string& path) {
#ifdef _WIN32
  std::error_code error;
  const fs::file_status status = fs::status(fs::u8path(path), error);
  if (!fs::exists(status)) NotFound(path, "no such file");
  if (fs::is_directory(status)) NotFound(path, kIsFolder);
  if (!fs::is_regular_file(status)) NotFound(path, kIsNoFile);
  std::ifstream file(fs::u8path(path), std::ios::binary);
  ModelBytes model(Checked(fs::file_size(fs::u8path(path), error)));
  if (error || !file.read(reinterpret_cast<char*>(model.data_.get()),
                          static_cast<std::streamsize>(model.size_))) {
    NotFound(path, "reading it failed");
  }
  return model;
#else
  struct stat info = {};
  // Opening a device may already do something.
  if (stat(path.c_str(), &info) == 0) CheckRegular(path, info);
  const Descriptor file(path);
  if (fstat(file.number(), &info) != 0) NotFound(path, std::strerror(errno));
  CheckRegular(path, info);
  ModelBytes model(Checked(static_cast<uintmax_t>(info.st_size)));
  for (size_t done = 0; done < model.size_;) {
    const ssize_t count = read(file.number(), model.data_.get() + done, model.size_ - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) NotFound(path, std::strerror(errno));
    if (count == 0) NotFound(path, "it has become shorter meanwhile");
    done += static_cast<size_t>(count);
  }
  return model;
#endif
}

CheckedModel LoadChecked(ModelSource source, const std::string& data_folder,
                         const std::atomic<bool>& cancelled) {
  const std::string* const path = std::get_if<std::string>(&source);
  std::optional<std::string> folder;
  if (path != nullptr) {
    folder = FolderOf(*path);
  } else if (!data_folder.empty()) {
    folder = data_folder;
  }
  CheckedModel model{
      path != nullptr ? ModelBytes::Read(*path) : std::get<ModelBytes>(std::move(source)),
      std::move(folder)};
  Checked(model.bytes.view().size());
  try {
    gate::Check(model.bytes.view(), model.data_folder, cancelled);
  } catch (const gate::Refusal& refusal) {
    const bool wants_folder = refusal.reason() == gate::Reason::kNeedsFolder;
    throw Error(CodeOf(refusal.reason()), std::string("the model ") + refusal.what(),
                wants_folder ? "externalDataFolder" : "");
  }
  if (cancelled) throw Error(ErrorCode::kAborted, "aborted");
  return model;
}

}  // namespace tlsc
