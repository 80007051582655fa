// SPDX-License-Identifier: Apache-2.0
// Files that are compiled into a library (cmake/embed_files.cmake), so that an executable needs no data folder.
#pragma once

#include <string_view>

namespace perfatlas {

struct EmbeddedFile {
  std::string_view name;  // without folders
  std::string_view text;
};

}  // namespace perfatlas
