#include "division_guard.h"

#if defined(__linux__) && defined(__x86_64__)
#include <link.h>
#include <signal.h>
#include <ucontext.h>

#include <atomic>
#endif

namespace tlsc {
namespace {

constexpr uint8_t kOperandSize = 0x66;
constexpr uint8_t kDivideBytes = 0xF6;
constexpr uint8_t kDivide = 0xF7;

bool IsRex(uint8_t byte) { return (byte & 0xF0) == 0x40; }

// Of the operand that the byte at `code` begins: that byte, and what it says comes behind.
size_t OperandLength(const uint8_t* code) {
  const uint8_t mode = code[0] >> 6;
  const uint8_t base = code[0] & 7;
  if (mode == 3) return 1;  // a register
  const bool has_index = base == 4;
  const bool is_far = mode == 0 && (base == 5 || (has_index && (code[1] & 7) == 5));
  const size_t distance = mode == 1 ? 1 : mode == 2 || is_far ? 4 : 0;
  return 1 + (has_index ? 1 : 0) + distance;
}

}  // namespace

Division DecodeDivision(const uint8_t* code) {
  const uint8_t* at = code;
  const bool is_short = *at == kOperandSize;
  if (is_short) ++at;
  const bool is_long = (*at & 0xF8) == 0x48;  // by the prefix that is looked at next
  if (IsRex(*at)) ++at;
  const bool is_byte = *at == kDivideBytes;
  if (!is_byte && *at != kDivide) return {};
  ++at;
  const uint8_t operation = (*at >> 3) & 7;
  if (operation != 6 && operation != 7) return {};  // without and with signs
  at += OperandLength(at);
  const size_t bits = is_byte ? 8 : is_long ? 64 : is_short ? 16 : 32;
  return {static_cast<size_t>(at - code), bits};
}

#if defined(__linux__) && defined(__x86_64__)
namespace {

// Code of a library; handlers of signals read the list at any time, and nothing is ever taken out.
struct Section {
  uintptr_t begin;
  uintptr_t end;
  const Section* next;
};

std::atomic<const Section*> sections{nullptr};
struct sigaction handler_before;

bool IsGuarded(uintptr_t address) {
  for (const Section* one = sections.load(std::memory_order_acquire); one; one = one->next) {
    if (address >= one->begin && address < one->end) return true;
  }
  return false;
}

// The lowest bits of a register, or all of them: an instruction that writes 32 clears the others.
void Clear(greg_t& number, size_t bits) {
  const uint64_t kept = bits < 32 ? ~uint64_t{0} << bits : 0;
  number = static_cast<greg_t>(static_cast<uint64_t>(number) & kept);
}

// Whether it was a guarded division, which is over now.
bool SkipDivision(int code, ucontext_t& context) {
  greg_t* const registers = context.uc_mcontext.gregs;
  const auto address = static_cast<uintptr_t>(registers[REG_RIP]);
  if (code != FPE_INTDIV || !IsGuarded(address)) return false;
  const Division division = DecodeDivision(reinterpret_cast<const uint8_t*>(address));
  if (division.length == 0) return false;
  if (division.bits == 8) {
    Clear(registers[REG_RAX], 16);
  } else {
    Clear(registers[REG_RAX], division.bits);
    Clear(registers[REG_RDX], division.bits);
  }
  registers[REG_RIP] += static_cast<greg_t>(division.length);
  return true;
}

void OnDivision(int signal, siginfo_t* info, void* context) {
  if (SkipDivision(info->si_code, *static_cast<ucontext_t*>(context))) return;
  if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
    handler_before.sa_sigaction(signal, info, context);
  } else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN) {
    handler_before.sa_handler(signal);
  } else {
    // The instruction comes once more, and ends the process.
    sigaction(signal, &handler_before, nullptr);
  }
}

void Listen() {
  struct sigaction handler = {};
  handler.sa_sigaction = OnDivision;
  handler.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&handler.sa_mask);
  sigaction(SIGFPE, &handler, &handler_before);
}

// Of the library that the address belongs to, what is code.
int AddSections(dl_phdr_info* library, size_t, void* address) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  const auto begin_of = [&](const ElfW(Phdr) & part) { return library->dlpi_addr + part.p_vaddr; };
  bool is_it = false;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = library->dlpi_phdr[i];
    is_it |= part.p_type == PT_LOAD && wanted >= begin_of(part) &&
             wanted < begin_of(part) + part.p_memsz;
  }
  if (!is_it) return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = library->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    sections = new Section{begin_of(part), begin_of(part) + part.p_memsz, sections};
  }
  return 1;
}

}  // namespace

void GuardDivisions(const void* function) {
  if (IsGuarded(reinterpret_cast<uintptr_t>(function))) return;
  if (sections.load() == nullptr) Listen();
  dl_iterate_phdr(AddSections, const_cast<void*>(function));
}
#else
void GuardDivisions(const void*) {}
#endif

}  // namespace tlsc
