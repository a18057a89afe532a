#include "library.h"

#ifdef _WIN32
#include <windows.h>

#include "runtime.h"
#else
#include <dlfcn.h>
#endif

namespace tlsc {

#ifdef _WIN32

Library::Library(const std::string& path) {
  // The altered search path, which is for full paths alone, lets a library find its own neighbours
  // (DirectML.dll, providers).
  const bool is_name = path.find_first_of("/\\") == std::string::npos;
  handle_ =
      LoadLibraryExW(ToOrtPath(path).c_str(), nullptr, is_name ? 0 : LOAD_WITH_ALTERED_SEARCH_PATH);
  if (handle_ == nullptr) {
    throw LibraryError(path + ": Windows error " + std::to_string(GetLastError()));
  }
}

Library::AnyFunction Library::Address(const char* name) const {
  return reinterpret_cast<AnyFunction>(GetProcAddress(static_cast<HMODULE>(handle_), name));
}

#else

Library::Library(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw LibraryError(dlerror());
}

Library::AnyFunction Library::Address(const char* name) const {
  return reinterpret_cast<AnyFunction>(dlsym(handle_, name));
}

#endif

}  // namespace tlsc
