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
constexpr std::string_view kMetadataFolder = ".dist-info/";
constexpr std::string_view kMetadata = "METADATA";
constexpr std::string_view kYaml = ".yaml";

/// Files that lie beside the descriptions.
bool is_description(std::string_view name) {
  return name.ends_with(kYaml) && name != "query_versions.yaml" && name != "attention_lane_defaults.yaml" &&
         name != "perf_data_reuse_manifest.yaml";
}

std::vector<std::string> description_names(const FileTree& files, const std::string& systems) {
  std::vector<std::string> names;
  for (const std::string_view name : files.names_in(systems))
    if (is_description(name)) names.emplace_back(name.substr(0, name.size() - kYaml.size()));
  return names;
}

/// The value of a key of a package's METADATA; empty when it is not there.
std::string metadata_value(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n'))
    if (line.starts_with(key)) return std::string(trim(line.substr(key.size())));
  return {};
}

/// Files of the top level and of the package's metadata: the rest may be large and far away.
std::vector<std::string> top_files(const FileTree& files) {
  std::vector<std::string> found;
  for (const std::string& name : files.names_in("")) {
    if (name.ends_with(kMetadataFolder))
      for (const std::string& below : files.names_in(name)) found.push_back(name + below);
    else
      found.push_back(name);
  }
  return found;
}

bool is_licence(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.starts_with("LICENSE") || name.starts_with("LICENCE") || name.starts_with("NOTICE") ||
         name.starts_with("ATTRIBUTION") || path.ends_with(kMetadata);
}

/// Throws Error when the source is of a release whose tables may mean something else, or was copied in part.
void read_top(const std::string& source, RootLocation& location) {
  for (const std::string& path : top_files(*location.files)) {
    if (path == kImportIncompleteFile)
      throw Error(fmt::format(
          "{}: an import into this folder has not finished; run the same perfatlas import again", source));
    if (path.ends_with(kMetadata)) {
      const std::string text = location.files->read(path), version = metadata_value(text, "Version:");
      location.release = fmt::format("{} {}", metadata_value(text, "Name:"), version);
      if (!version.starts_with(kKnownRelease))
        throw Error(fmt::format("{}: is release {} of the published data, this program reads {}x", source,
                                version, kKnownRelease));
    }
    if (!is_licence(path)) continue;
    if (auto entry = location.files->entry(path)) location.licences.push_back(std::move(*entry));
  }
}

}  // namespace

std::optional<RootLocation> find_root(const std::string& source, const std::string& cache) {
  std::error_code error;
  const bool folder = fs::is_directory(source, error);
  if (!folder && !fs::exists(source, error))
    throw UsageError(fmt::format("{}: there is no such file or folder", source));
  RootLocation location;
  location.files = folder ? open_folder(source) : open_zip(source, cache);
  read_top(source, location);
  for (const Candidate& candidate : kCandidates) {
    location.system_names = description_names(*location.files, candidate.systems);
    if (location.system_names.empty()) continue;
    location.folders = {candidate.systems, candidate.models};
    return location;
  }
  return std::nullopt;
}

RootLocation locate_root(const std::string& source, const std::string& cache) {
  if (auto found = find_root(source, cache)) return std::move(*found);
  throw UsageError(fmt::format(
      "{}: there are no system descriptions (*.yaml) in it, in systems/ or in aiconfigurator_core/systems/",
      source));
}

}  // namespace perfatlas
