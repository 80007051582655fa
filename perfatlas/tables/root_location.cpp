// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/tables/root_location_impl.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

/// Places of a systems folder below a source, and of the model configurations beside it.
struct Candidate {
  const char* systems;
  const char* models;
};
constexpr Candidate kCandidates[] = {{"aiconfigurator_core/systems/", "aiconfigurator_core/model_configs"},
                                     {"systems/", "model_configs"},
                                     {"", "../model_configs"}};

/// Releases of the published package whose semantics this program knows.
constexpr std::string_view kKnownRelease = "0.12.";
constexpr std::string_view kMetadata = ".dist-info/METADATA";
constexpr std::string_view kYaml = ".yaml";

/// Files that lie beside the descriptions.
bool is_description(std::string_view name) {
  return name.ends_with(kYaml) && name != "query_versions.yaml" && name != "attention_lane_defaults.yaml" &&
         name != "perf_data_reuse_manifest.yaml";
}

std::vector<std::string> description_names(const std::string& source, const FileTree& files,
                                           const std::string& systems, bool zip) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    if (name.find('/') == name.npos && is_description(name))
      names.emplace_back(name.substr(0, name.size() - kYaml.size()));
  };
  if (zip) {
    for (const FileEntry& entry : files.list(systems))
      add(std::string_view(entry.path).substr(systems.size()));
  } else {  // not the whole tree: it may be large and far away
    std::error_code error;
    for (fs::directory_iterator it(fs::path(source) / systems, error), end; !error && it != end;
         it.increment(error))
      add(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Throws Error when a wheel is of a release whose tables may mean something else.
void check_release(const FileTree& files) {
  for (const FileEntry& entry : files.list("")) {
    if (!entry.path.ends_with(kMetadata)) continue;
    const std::string text = files.read(entry.path);
    for (const std::string_view line : split(text, '\n')) {
      constexpr std::string_view kKey = "Version:";
      if (!line.starts_with(kKey)) continue;
      const std::string_view version = trim(line.substr(kKey.size()));
      if (!version.starts_with(kKnownRelease))
        throw Error(fmt::format("{}: is release {} of the published data, this program reads {}x",
                                files.source(), version, kKnownRelease));
      return;
    }
  }
}

}  // namespace

RootLocation locate_root(const std::string& source) {
  std::error_code error;
  const bool folder = fs::is_directory(source, error);
  if (!folder && !fs::exists(source, error))
    throw UsageError(fmt::format("{}: there is no such file or folder", source));
  RootLocation location;
  location.files = folder ? open_folder(source) : open_zip(source, "");
  if (!folder) check_release(*location.files);
  for (const Candidate& candidate : kCandidates) {
    location.system_names = description_names(source, *location.files, candidate.systems, !folder);
    if (location.system_names.empty()) continue;
    location.systems = candidate.systems;
    location.models = candidate.models;
    return location;
  }
  throw UsageError(fmt::format(
      "{}: there are no system descriptions (*.yaml) in it, in systems/ or in aiconfigurator_core/systems/",
      source));
}

}  // namespace perfatlas
