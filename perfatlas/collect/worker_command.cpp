// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/supervisor.h"

namespace perfatlas {
namespace {

std::string executable_name(const std::string& backend) {
  if (backend == "onednn") return "perfatlas-worker-cpu";
  return "perfatlas-worker-" + backend;
}

void add_folders(std::vector<std::string>& folders, const char* variable) {
  if (const char* const list = std::getenv(variable))
    for (const std::string_view folder : split(list, ':'))
      if (!folder.empty()) folders.emplace_back(folder);
}

}  // namespace

std::vector<std::string> worker_command(const std::string& backend) {
  std::vector<std::string> folders;
  add_folders(folders, "PERFATLAS_WORKER_PATH");
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(self.parent_path().string());
  add_folders(folders, "PATH");
  const std::string name = executable_name(backend);
  for (const std::string& folder : folders) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (::access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path))
      return {path, "--devices", "{device}"};
  }
  throw UsageError(
      fmt::format("there is no worker for back end '{}': {} is neither beside this program nor in "
                  "PERFATLAS_WORKER_PATH or "
                  "PATH; build it, or name a back end that was built",
                  backend, name));
}

}  // namespace perfatlas
