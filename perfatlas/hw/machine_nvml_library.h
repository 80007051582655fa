// SPDX-License-Identifier: Apache-2.0
// The driver's NVML, opened at run time. Its binary interface (NVIDIA, "NVML API Reference Guide") is stable across
// drivers: a changed function gets a new suffix. What is used is declared where it is called, so that the build needs
// no CUDA toolkit.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>

namespace perfatlas {

class NvmlLibrary {
 public:
  using Device = void*;  // nvmlDevice_t
  static constexpr int kSuccess = 0, kFunctionNotFound = 13;

  explicit NvmlLibrary(const std::string& name)
      : handle_(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* handle) {
          if (handle) ::dlclose(handle);
        }) {}

  explicit operator bool() const { return handle_ != nullptr; }

  /// Calls a function by name: its nvmlReturn_t, or kFunctionNotFound.
  template <class... Arguments>
  int code(const char* name, Arguments... arguments) const {
    const auto function = reinterpret_cast<int (*)(Arguments...)>(::dlsym(handle_.get(), name));
    return function ? function(arguments...) : kFunctionNotFound;
  }
  /// The same; false when the library lacks it or the call did not succeed.
  template <class... Arguments>
  bool call(const char* name, Arguments... arguments) const {
    return code(name, arguments...) == kSuccess;
  }

 private:
  std::unique_ptr<void, void (*)(void*)> handle_;
};

}  // namespace perfatlas
