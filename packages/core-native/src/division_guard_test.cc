#include "division_guard.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <limits>
#include <vector>

namespace tlsc {
namespace {

void ExpectDecoded(const std::vector<uint8_t>& code, size_t bits) {
  std::vector<uint8_t> padded = code;
  padded.resize(16, 0xCC);
  const Division division = DecodeDivision(padded.data());
  EXPECT_EQ(division.bits, bits);
  EXPECT_EQ(division.length, bits == 0 ? 0 : code.size());
}

TEST(DecodeDivision, KnowsWhatAssemblersWrite) {
  ExpectDecoded({0xF7, 0xF9}, 32);                          // idiv ecx
  ExpectDecoded({0x48, 0xF7, 0xF9}, 64);                    // idiv rcx
  ExpectDecoded({0x49, 0xF7, 0xF0}, 64);                    // div r8
  ExpectDecoded({0x66, 0xF7, 0xF9}, 16);                    // idiv cx
  ExpectDecoded({0xF6, 0xF1}, 8);                           // div cl
  ExpectDecoded({0x41, 0xF6, 0xF0}, 8);                     // div r8b
  ExpectDecoded({0x48, 0xF7, 0x38}, 64);                    // idiv qword [rax]
  ExpectDecoded({0x48, 0xF7, 0x7D, 0xF8}, 64);              // idiv qword [rbp-8]
  ExpectDecoded({0x48, 0xF7, 0x7C, 0x24, 0x08}, 64);        // idiv qword [rsp+8]
  ExpectDecoded({0x48, 0xF7, 0xBC, 0x24, 0, 1, 0, 0}, 64);  // idiv qword [rsp+256]
  ExpectDecoded({0x48, 0xF7, 0xBB, 0, 1, 0, 0}, 64);        // idiv qword [rbx+256]
  ExpectDecoded({0x48, 0xF7, 0x3D, 0, 1, 0, 0}, 64);        // idiv qword [rip+256]
  ExpectDecoded({0x4A, 0xF7, 0x3C, 0xC7}, 64);              // idiv qword [rdi+r8*8]
  ExpectDecoded({0x48, 0xF7, 0x3C, 0xC5, 0, 1, 0, 0}, 64);  // idiv qword [rax*8+256]
  ExpectDecoded({0xF7, 0xE1}, 0);                           // mul ecx
  ExpectDecoded({0x48, 0x99}, 0);                           // cqo
}

#if defined(__linux__) && defined(__x86_64__)
struct Result {
  int64_t quotient;
  int64_t remainder;
};

// In the instruction itself: compilers and sanitizers think that they know better.
Result DivideLong(int64_t dividend, int64_t divisor) {
  Result result = {dividend, dividend < 0 ? -1 : 0};
  asm volatile("idivq %2" : "+a"(result.quotient), "+d"(result.remainder) : "r"(divisor) : "cc");
  return result;
}

Result DivideInts(int32_t dividend, const int32_t& divisor) {
  int32_t quotient = dividend;
  int32_t remainder = dividend < 0 ? -1 : 0;
  asm volatile("idivl %2" : "+a"(quotient), "+d"(remainder) : "m"(divisor) : "cc");
  return {quotient, remainder};
}

uint16_t DivideBytes(uint16_t dividend, uint8_t divisor) {
  asm volatile("divb %1" : "+a"(dividend) : "q"(divisor) : "cc");
  return dividend;
}

TEST(GuardDivisions, GoesOnWithZero) {
  GuardDivisions(reinterpret_cast<const void*>(&DivideLong));
  for (const int64_t divisor : {0, -1}) {
    const Result result = DivideLong(std::numeric_limits<int64_t>::min(), divisor);
    EXPECT_EQ(result.quotient, 0);
    EXPECT_EQ(result.remainder, 0);
    EXPECT_EQ(
        DivideInts(std::numeric_limits<int32_t>::min(), static_cast<int32_t>(divisor)).quotient, 0);
  }
  EXPECT_EQ(DivideBytes(7, 0), 0);
  // Others are as they were.
  EXPECT_EQ(DivideLong(-17, 5).quotient, -3);
  EXPECT_EQ(DivideLong(-17, 5).remainder, -2);
}

// In a process of its own: there may be no other handler in it.
TEST(GuardDivisionsDeathTest, LeavesOtherCodeAlone) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  // A function of the C library's: nothing of ours is guarded.
  const auto guard_other = [] { GuardDivisions(reinterpret_cast<const void*>(&std::raise)); };
  EXPECT_DEATH((guard_other(), DivideLong(1, 0)), "");  // by the signal, or by a sanitizer
}
#endif

}  // namespace
}  // namespace tlsc
