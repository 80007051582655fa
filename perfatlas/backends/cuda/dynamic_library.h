// SPDX-License-Identifier: Apache-2.0
// Opens a vendor library at run time, so that one worker binary of a few megabytes uses what the machine has and
// starts where there is nothing. A missing library is a reason that can be told, never an abort.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace perfatlas {

/// What to look for.
struct LibraryRequest {
  std::string name;                        // for messages: "cuBLASLt"
  std::vector<std::string> files;          // best first: "libcublasLt.so.13", "libcublasLt.so.12"
  std::vector<std::string> wheel_folders;  // below site-packages/nvidia: "cu13/lib", "cublas/lib"
  std::vector<std::string> more_folders;   // last resort, absolute
};

/// Where to look, best first. The empty folder stands for the dynamic linker's own search, that is
/// LD_LIBRARY_PATH and what ldconfig knows.
struct LibrarySearch {
  struct Place {
    std::string folder;   // holds the library itself, or below lib64/ or lib/
    bool python = false;  // a site-packages folder: looked at through LibraryRequest::wheel_folders
  };
  std::vector<Place> places;
};

using EnvironmentLookup = std::function<std::optional<std::string>(const char*)>;

/// The variables of this process.
std::optional<std::string> process_environment(const char* name);

/// In this order: every entry of PERFATLAS_CUDA_PATH (colon-separated: a library folder, a toolkit, a Python
/// environment or a site-packages folder); the Python environment of VIRTUAL_ENV; the dynamic linker; the toolkits
/// CUDA_HOME, CUDA_PATH and /usr/local/cuda; the Python environment of the first python3 of PATH, with the user's
/// own (HOME/.local) and /usr/local.
LibrarySearch library_search(const EnvironmentLookup& variable = process_environment);

/// Where a function of a library is; becomes a pointer to a function of any type. Null where there is none.
class FunctionAddress {
 public:
  explicit FunctionAddress(void* address) : address_(address) {}
  template <class Function>
  requires std::is_function_v<Function>
  operator Function*() const {  // implicit, so that a list of functions is a list of initialised pointers
    return reinterpret_cast<Function*>(address_);
  }

 private:
  void* address_;
};

/// A loaded library, or why there is none. Stays loaded until the process ends: vendor libraries do not survive
/// being unloaded while a driver context is alive.
class DynamicLibrary {
 public:
  DynamicLibrary(const LibraryRequest& request, const LibrarySearch& search);

  bool loaded() const { return handle_ != nullptr; }
  /// The file that was opened; empty when not loaded.
  const std::string& path() const { return path_; }
  /// Why the library cannot be used: not found, not loadable, or the first missing function; empty when it can.
  const std::string& reason() const { return reason_; }

  /// A function that must be there: when it is missing, null, and reason() says so.
  FunctionAddress require(const char* symbol) {
    void* const found = address(symbol);
    if (found == nullptr && reason_.empty()) reason_ = missing(symbol);
    return FunctionAddress(found);
  }
  /// A function that older versions lack, or know as `older_symbol`: null is fine.
  FunctionAddress accept(const char* symbol, const char* older_symbol = nullptr) const {
    void* const found = address(symbol);
    return FunctionAddress(found != nullptr || older_symbol == nullptr ? found : address(older_symbol));
  }

 private:
  void* address(const char* symbol) const;
  std::string missing(const char* symbol) const;
  bool open(const std::string& file, std::vector<std::string>& failures);

  std::string name_;
  void* handle_ = nullptr;
  std::string path_;
  std::string reason_;
};

}  // namespace perfatlas
