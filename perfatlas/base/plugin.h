// SPDX-License-Identifier: Apache-2.0
// Shared libraries that come with the program and are opened when something first needs them, so that everything else
// starts without the libraries that they stand on.
#pragma once

#include <string_view>

namespace perfatlas {

struct Plugin {
  std::string_view file;      // "libperfatlas_parquet.so"
  std::string_view variable;  // environment: the path of another file to open instead
  std::string_view name;      // in errors: "Parquet"
  std::string_view option;    // of CMake, which builds it
};

/// The address of `symbol` in a plug-in, which is opened on the first call and stays open. It is looked for at the path
/// in Plugin::variable, else beside the executable and beside the library that this code is part of, and in ../lib and
/// ../lib/perfatlas of both. Null when the plug-in has no such symbol. Throws Error naming where it was looked for, or
/// why it cannot be opened.
void* plugin_symbol(const Plugin& plugin, const char* symbol);

/// The error for a plug-in that does not speak this program's version of its interface.
[[noreturn]] void refuse_plugin_version(const Plugin& plugin);

}  // namespace perfatlas
