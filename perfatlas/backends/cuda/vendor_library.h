// SPDX-License-Identifier: Apache-2.0
// What every vendor library that is opened at run time has in common: the file that was found, the functions that are
// used of it, its version, and why it cannot be used.
#pragma once

#include <string>
#include <utility>

#include "perfatlas/backends/cuda/dynamic_library.h"

namespace perfatlas {

/// A library and its functions, or why there are none. The constructor does not throw and needs no driver.
///
/// `Api` names the functions once, where their pointers are declared:
///   struct SomeApi {
///     static LibraryRequest request();
///     DynamicLibrary library;  // first: the rest is looked up in it
///     decltype(someCall)* call = library.require("someCall");
///     decltype(someNewCall)* new_call = library.accept("someNewCall");  // null in older versions
///   };
template <class Api>
class VendorLibrary {
 public:
  explicit VendorLibrary(const LibrarySearch& search)
      : api_{DynamicLibrary(Api::request(), search)}, reason_(api_.library.reason()) {}

  /// Empty when the library can be used.
  const std::string& reason() const { return reason_; }
  /// The file that was opened; empty when none was.
  const std::string& path() const { return api_.library.path(); }
  /// "13.1.0"; empty when the library is missing or does not say.
  const std::string& version() const { return version_; }
  /// REQUIRES: reason() is empty.
  const Api& api() const { return api_; }

 protected:
  void set_reason(std::string reason) { reason_ = std::move(reason); }
  /// `number` as cuBLASLt, cuDNN 9 and NCCL 2.9 write it: major * 10000 + minor * 100 + patch.
  void set_version(long long number) {
    version_ = std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." +
               std::to_string(number % 100);
  }

 private:
  Api api_;
  std::string version_, reason_;
};

}  // namespace perfatlas
