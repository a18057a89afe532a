#ifndef TLSC_CORE_NATIVE_LIBRARY_H_
#define TLSC_CORE_NATIVE_LIBRARY_H_

#include <stdexcept>
#include <string>

namespace tlsc {

// A shared library that could not be loaded, in the system's words.
class LibraryError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A shared library, loaded at run time and kept until the process ends.
class Library {
 public:
  // A path, or a name that the system looks for. Throws LibraryError.
  explicit Library(const std::string& path);

  // Null where the library has no such function.
  template <typename Function>
  Function* Find(const char* name) const {
    return reinterpret_cast<Function*>(Address(name));
  }

 private:
  using AnyFunction = void (*)();

  AnyFunction Address(const char* name) const;

  void* handle_;
};

}  // namespace tlsc

#endif  // TLSC_CORE_NATIVE_LIBRARY_H_
