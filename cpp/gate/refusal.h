#ifndef TLSC_GATE_REFUSAL_H_
#define TLSC_GATE_REFUSAL_H_

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tlsc::gate {

enum class Reason {
  kInvalid,      // it is no ONNX model, or a broken one
  kUnsupported,  // it may be one, and holds more than is allowed, or what no network of images does
  kNeedsFolder,  // its data lies in files, and nobody said in which folder
  kMissingFile,  // a file with its data is not there
};

// Why a model is not let through. The message follows the model's name: "x.onnx: <message>".
class Refusal : public std::runtime_error {
 public:
  Refusal(Reason reason, const std::string& message)
      : std::runtime_error(message), reason_(reason) {}

  Reason reason() const { return reason_; }

 private:
  Reason reason_;
};

[[noreturn]] inline void Refuse(const std::string& message) {
  throw Refusal(Reason::kInvalid, message);
}

[[noreturn]] inline void RefuseAsUnsupported(const std::string& message) {
  throw Refusal(Reason::kUnsupported, message);
}

// A name from a file, as messages show it: strangers' names may be megabytes long, and tell a
// terminal what to do.
inline std::string Shown(std::string_view name) {
  constexpr size_t kMost = 120;
  const bool is_long = name.size() > kMost;
  if (is_long) {
    size_t end = kMost;
    while (end > 0 && (static_cast<uint8_t>(name[end]) & 0xC0) == 0x80) --end;  // within a letter
    name = name.substr(0, end);
  }
  std::string shown;
  for (const char letter : name) {
    const bool is_control = static_cast<uint8_t>(letter) < 0x20 || letter == 0x7F;
    shown += is_control ? '?' : letter;
  }
  return is_long ? shown + "…" : shown;
}

}  // namespace tlsc::gate

#endif  // TLSC_GATE_REFUSAL_H_
