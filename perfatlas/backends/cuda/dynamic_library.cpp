// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/dynamic_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using Place = LibrarySearch::Place;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_directory(path, ignored);
}

bool is_site_packages(const fs::path& path) {
  return path.filename() == "site-packages" || path.filename() == "dist-packages";
}

/// The site-packages folders of the Python environment at `root` (its lib/python3.*/{site,dist}-packages).
std::vector<std::string> site_packages_of(const fs::path& root) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "lib", ignored)) {
    if (!entry.path().filename().string().starts_with("python3")) continue;
    for (const char* name : {"site-packages", "dist-packages"})
      if (is_folder(entry.path() / name)) found.push_back(entry.path() / name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void add_environment(std::vector<Place>& places, const fs::path& root) {
  for (std::string& folder : site_packages_of(root)) places.push_back({std::move(folder), true});
}

/// A folder named by the user: anything that may hold libraries.
void add_named(std::vector<Place>& places, fs::path folder) {
  if (!folder.has_filename()) folder = folder.parent_path();  // "x/" names x
  if (is_site_packages(folder)) {
    places.push_back({folder, true});
    return;
  }
  places.push_back({folder, false});
  add_environment(places, folder);
}

/// bin/.. of the first python3 of PATH; symbolic links are not followed, since an environment's python3 is one.
std::optional<fs::path> python_root(const EnvironmentLookup& variable) {
  const std::string path = variable("PATH").value_or("");
  for (const std::string_view folder : split(path, ':'))
    if (!folder.empty() && is_file(fs::path(folder) / "python3")) return fs::path(folder).parent_path();
  return std::nullopt;
}

std::vector<std::string> files_in(const Place& place, const LibraryRequest& request) {
  std::vector<std::string> files;
  if (place.folder.empty()) return request.files;
  std::vector<fs::path> folders;
  if (place.python)
    for (const std::string& wheel : request.wheel_folders)
      folders.push_back(fs::path(place.folder) / "nvidia" / wheel);
  else
    folders = {place.folder, fs::path(place.folder) / "lib64", fs::path(place.folder) / "lib"};
  for (const fs::path& folder : folders)
    for (const std::string& file : request.files)
      if (is_file(folder / file)) files.push_back(folder / file);
  return files;
}

std::string place_text(const Place& place) {
  return place.folder.empty() ? "the dynamic linker's path" : place.folder;
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

LibrarySearch library_search(const EnvironmentLookup& variable) {
  std::vector<Place> places;
  if (const auto named = variable("PERFATLAS_CUDA_PATH"))
    for (const std::string_view folder : split(*named, ':'))
      if (!folder.empty()) add_named(places, folder);
  if (const auto environment = variable("VIRTUAL_ENV")) add_environment(places, *environment);
  places.push_back({});
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const auto toolkit = variable(name)) places.push_back({*toolkit, false});
  if (is_folder("/usr/local/cuda")) places.push_back({"/usr/local/cuda", false});
  if (const auto root = python_root(variable)) add_environment(places, *root);
  if (const auto home = variable("HOME")) add_environment(places, fs::path(*home) / ".local");
  add_environment(places, "/usr/local");
  std::vector<Place> once;
  for (Place& place : places)
    if (std::none_of(once.begin(), once.end(), [&](const Place& p) { return p.folder == place.folder; }))
      once.push_back(std::move(place));
  return {std::move(once)};
}

DynamicLibrary::DynamicLibrary(const LibraryRequest& request, const LibrarySearch& search)
    : name_(request.name) {
  std::vector<Place> places = search.places;
  for (const std::string& folder : request.more_folders) places.push_back({folder, false});
  std::vector<std::string> failures;
  for (const Place& place : places)
    for (const std::string& file : files_in(place, request))
      if (open(file, failures)) return;
  std::vector<std::string> texts;
  for (const Place& place : places) texts.push_back(place_text(place));
  reason_ = failures.empty()
                ? fmt::format("{} was not found: no {} in {}; set PERFATLAS_CUDA_PATH to its folder", name_,
                              fmt::join(request.files, " or "), fmt::join(texts, ", "))
                : fmt::format("{} could not be loaded: {}", name_, fmt::join(failures, "; "));
}

bool DynamicLibrary::open(const std::string& file, std::vector<std::string>& failures) {
  handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* why = dlerror();
    // A bare name that the dynamic linker does not know is "not found", which the caller words better.
    if (file.find('/') != file.npos) failures.emplace_back(why != nullptr ? why : file);
    return false;
  }
  link_map* map = nullptr;
  path_ = dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0 && map->l_name[0] != '\0' ? map->l_name : file;
  return true;
}

void* DynamicLibrary::address(const char* symbol) const {
  return handle_ == nullptr ? nullptr : dlsym(handle_, symbol);
}

std::string DynamicLibrary::missing(const char* symbol) const {
  return fmt::format("{} in {} has no function {}; a newer version is needed", name_, path_, symbol);
}

}  // namespace perfatlas
