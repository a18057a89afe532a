#ifndef TLSC_GATE_WIRE_H_
#define TLSC_GATE_WIRE_H_

#define PROTOZERO_USE_VIEW std::string_view
#include <protozero/pbf_reader.hpp>
#include <string_view>

#include "gate/refusal.h"

// What the fields of a message in protobuf's wire format are read with. A program that lets such
// messages through to another one must not read them differently: protobuf merges a message that is
// there twice, so that it is refused here, and skips a field whose type is another than declared.
namespace tlsc::gate {

using Message = protozero::pbf_reader;

inline constexpr auto kVarint = protozero::pbf_wire_type::varint;
inline constexpr auto kBytes = protozero::pbf_wire_type::length_delimited;
inline constexpr auto kFixed32 = protozero::pbf_wire_type::fixed32;
inline constexpr auto kFixed64 = protozero::pbf_wire_type::fixed64;

// A field and its type, for `switch`.
constexpr uint32_t Field(protozero::pbf_tag_type tag, protozero::pbf_wire_type type) {
  return protozero::tag_and_type(tag, type);
}

inline uint32_t FieldOf(const Message& message) { return message.tag_and_type(); }

inline std::string_view Text(Message& message) { return message.get_view(); }

// Of a message that may be there once.
class Once {
 public:
  explicit Once(const char* what) : what_(what) {}

  Message Read(Message& from) {
    if (seen_) Refuse(std::string("it has ") + what_ + " twice");
    seen_ = true;
    return from.get_message();
  }

  bool seen() const { return seen_; }

 private:
  const char* what_;
  bool seen_ = false;
};

// Calls `take` for each number of a repeated field, which may be packed or not.
template <typename Take>
void ReadIntegers(Message& from, Take take) {
  if (from.has_wire_type(kVarint)) {
    take(from.get_int64());
    return;
  }
  for (const int64_t value : from.get_packed_int64()) take(value);
}

}  // namespace tlsc::gate

#endif  // TLSC_GATE_WIRE_H_
