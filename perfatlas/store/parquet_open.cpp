// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fmt/format.h>

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

std::vector<std::string> candidates() {
  if (const char* named = std::getenv(kPluginVariable); named != nullptr && *named != '\0') return {named};
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<std::string> paths;
  for (const char* place : {".", "../lib", "../lib/perfatlas"})
    paths.push_back((folder / place / kPluginFile).lexically_normal().string());
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
