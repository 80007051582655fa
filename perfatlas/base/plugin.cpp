// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Where the code of this library lies: in a program, or in a shared library that another program has opened.
std::vector<std::filesystem::path> own_folders() {
  std::error_code ignored;
  std::vector<std::filesystem::path> folders{
      std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path()};
  if (Dl_info info; dladdr(reinterpret_cast<void*>(&plugin_symbol), &info) != 0 && info.dli_fname != nullptr)
    folders.push_back(std::filesystem::absolute(info.dli_fname, ignored).parent_path());
  return folders;
}

std::vector<std::string> candidates(const Plugin& plugin) {
  const char* const named = std::getenv(std::string(plugin.variable).c_str());
  if (named != nullptr && *named != '\0') return {named};
  std::vector<std::string> paths;
  for (const std::filesystem::path& folder : own_folders())
    for (const char* place : {".", "../lib", "../lib/perfatlas"}) {
      std::string path = (folder / place / plugin.file).lexically_normal().string();
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
    }
  return paths;
}

void* open_plugin(const Plugin& plugin) {
  const std::vector<std::string> paths = candidates(plugin);
  for (const std::string& path : paths) {
    if (!std::filesystem::exists(path)) continue;
    // dlopen counts uses: only the first call of a process reads the file. Lazily: what stands behind a plug-in has ten
    // thousands of functions, of which a few are called.
    if (void* const handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) return handle;
    throw Error(fmt::format("cannot open the {} plug-in: {}; run tools/setup.sh and build again", plugin.name,
                            dlerror()));
  }
  throw Error(fmt::format("there is no {} plug-in at {}; build it ({}=ON) or set {} to it", plugin.name,
                          fmt::join(paths, " or "), plugin.option, plugin.variable));
}

}  // namespace

void* plugin_symbol(const Plugin& plugin, const char* symbol) { return dlsym(open_plugin(plugin), symbol); }

void refuse_plugin_version(const Plugin& plugin) {
  throw Error(
      fmt::format("the {} plug-in is of another version than this program; install both from one build, or "
                  "unset {}",
                  plugin.name, plugin.variable));
}

}  // namespace perfatlas
