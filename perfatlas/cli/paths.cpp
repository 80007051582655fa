// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/paths.h"

#include <cstdlib>
#include <filesystem>

#include "perfatlas/base/text.h"

namespace perfatlas {

namespace fs = std::filesystem;

std::string executable_folder() { return fs::read_symlink("/proc/self/exe").parent_path().string(); }

std::vector<std::string> model_libraries() {
  std::vector<std::string> folders;
  if (const char* listed = std::getenv("PERFATLAS_MODELS"))
    for (const std::string_view part : split(listed, ':'))
      if (!part.empty()) folders.emplace_back(part);
  const fs::path bin = executable_folder();
  // <prefix>/bin -> <prefix>/share; build/<preset>/bin -> the checkout's data.
  for (const fs::path& folder : {bin / "../share/perfatlas/models", bin / "../../../data/models"})
    if (fs::is_directory(folder)) folders.push_back(fs::weakly_canonical(folder).string());
  return folders;
}

}  // namespace perfatlas
