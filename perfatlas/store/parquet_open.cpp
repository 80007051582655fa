// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/store/parquet_open_impl.h"

namespace perfatlas {
namespace {

constexpr const char* kPluginFile = "libperfatlas_parquet.so";
constexpr const char* kPluginVariable = "PERFATLAS_PARQUET";

/// Where the code of this library lies: in a program, or in a shared library that another program has opened.
std::vector<std::filesystem::path> own_folders() {
  std::error_code ignored;
  std::vector<std::filesystem::path> folders{
      std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path()};
  if (Dl_info info;
      dladdr(reinterpret_cast<void*>(&open_parquet_codec), &info) != 0 && info.dli_fname != nullptr)
    folders.push_back(std::filesystem::absolute(info.dli_fname, ignored).parent_path());
  return folders;
}

std::vector<std::string> candidates() {
  if (const char* named = std::getenv(kPluginVariable); named != nullptr && *named != '\0') return {named};
  std::vector<std::string> paths;
  for (const std::filesystem::path& folder : own_folders())
    for (const char* place : {".", "../lib", "../lib/perfatlas"}) {
      std::string path = (folder / place / kPluginFile).lexically_normal().string();
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
    }
  return paths;
}

void* open_plugin() {
  const std::vector<std::string> paths = candidates();
  for (const std::string& path : paths) {
    if (!std::filesystem::exists(path)) continue;
    // dlopen counts uses: only the first call of a process reads the file.
    if (void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    throw Error(
        fmt::format("cannot open the Parquet plug-in: {}; run tools/setup.sh and build again", dlerror()));
  }
  throw Error(
      fmt::format("there is no Parquet plug-in at {}; build it (PERFATLAS_WITH_PARQUET=ON) or set {} to it",
                  fmt::join(paths, " or "), kPluginVariable));
}

}  // namespace

std::unique_ptr<ParquetCodec> open_parquet_codec() {
  void* const handle = open_plugin();
  const auto factory = reinterpret_cast<ParquetCodecFactory>(dlsym(handle, "perfatlas_parquet_codec"));
  ParquetCodec* const codec = factory == nullptr ? nullptr : factory(kParquetCodecAbi);
  if (codec == nullptr)
    throw Error(
        fmt::format("the Parquet plug-in is of another version than this program; install both from one "
                    "build, or unset {}",
                    kPluginVariable));
  return std::unique_ptr<ParquetCodec>(codec);
}

}  // namespace perfatlas
