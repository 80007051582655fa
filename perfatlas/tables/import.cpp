// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/tables/file_sums.h"
#include "perfatlas/tables/root_location_impl.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

/// A file of the source and where it goes.
struct Copy {
  FileEntry from;
  std::string to;  // relative to the new folder
};

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// Logs of failed collections are no data.
bool is_data(std::string_view path) { return !file_name(path).starts_with("errors_"); }

class Importer {
 public:
  Importer(const RootSource& from, const ImportRequest& request) : from_(from), request_(request) {}

  ImportReport run(const IndexProgress& progress) {
    report_.systems = request_.systems.empty() ? from_.systems() : request_.systems;
    list();
    make_writable_folder(request_.into);
    const std::string marker = request_.into + "/" + kImportIncompleteFile;
    replace_file(marker, "An import into this folder has not finished; run it again.\n");
    const std::string sums_file = request_.into + "/" + kFileSumsName;
    if (file_exists(sums_file)) sums_ = FileSums::parse(read_file(sums_file));
    for (const Copy& copy : copies_) {
      place(copy);
      ++report_.files;
      if (progress) progress(report_.files, copies_.size());
    }
    replace_file(sums_file, sums_.text());
    write_attribution();
    fs::remove(marker);
    return std::move(report_);
  }

 private:
  void add(const FileEntry& entry, const std::string& to) {
    if (is_data(entry.path)) copies_.push_back({entry, to});
  }

  void list() {
    const FileTree& files = from_.files();
    const RootFolders& folders = from_.folders();
    std::set<std::string, std::less<>> wanted(report_.systems.begin(), report_.systems.end());
    for (const std::string& name : report_.systems) {
      const AicSystem& system = from_.system(name);
      for (const FileEntry& entry : files.list(folders.systems + system.data_dir))
        add(entry, "systems/" + entry.path.substr(folders.systems.size()));
      for (const char* const shape : {"{}.yaml", "support_matrix/{}.csv"}) {
        const std::string file = fmt::format(fmt::runtime(shape), name);
        if (const auto entry = files.entry(folders.systems + file)) add(*entry, "systems/" + file);
      }
    }
    for (const std::string& name : shared_files())
      if (const auto entry = files.entry(folders.systems + name)) add(*entry, "systems/" + name);
    for (const FileEntry& entry : files.list(folders.models))
      add(entry, "model_configs/" + std::string(file_name(entry.path)));
    for (const FileEntry& entry : from_.licence_files()) add(entry, std::string(file_name(entry.path)));
  }

  /// Of all systems, beside the descriptions.
  static std::vector<std::string> shared_files() {
    return {"query_versions.yaml", "attention_lane_defaults.yaml", "perf_data_reuse_manifest.yaml",
            "silicon_sample.csv", "support_matrix/index.json"};
  }

  void place(const Copy& copy) {
    const std::string path = request_.into + "/" + copy.to;
    report_.bytes += copy.from.bytes;
    const std::string content = from_.files().read(copy.from.path);
    sums_.set(copy.to, content);
    std::error_code error;
    if (fs::file_size(path, error) == copy.from.bytes && !error && read_file(path) == content) return;
    fs::create_directories(fs::path(path).parent_path(), error);
    if (error) throw Error(io_error_text("create", fs::path(path).parent_path().string(), error.value()));
    const std::string temporary = path + ".part";
    std::ofstream out(temporary, std::ios::binary);
    out << content;
    out.close();
    if (!out) throw Error(io_error_text("write", temporary, errno));
    fs::rename(temporary, path, error);
    if (error) throw Error(io_error_text("rename", temporary, error.value()));
    ++report_.copied;
  }

  void write_attribution() {
    report_.attribution = from_.release();
    const std::string path = request_.into + "/ATTRIBUTION.txt";
    if (report_.attribution.empty()) return;  // the source has none; its own licence files are here
    replace_file(
        path, fmt::format("The files in systems/ and model_configs/ are unchanged copies of the data of\n{}\n"
                          "imported from {}.\nTheir licence is Apache-2.0 (LICENSE).\n",
                          report_.attribution, fs::path(from_.path()).filename().string()));
    if (!file_exists(request_.into + "/LICENSE")) replace_file(request_.into + "/LICENSE", request_.licence);
  }

  const RootSource& from_;
  const ImportRequest& request_;
  std::vector<Copy> copies_;
  FileSums sums_;
  ImportReport report_;
};

}  // namespace

std::string published_folder(std::string_view data_root_given) {
  return data_root(data_root_given) + "/published";
}

ImportReport import_systems(const RootSource& from, const ImportRequest& request,
                            const IndexProgress& progress) {
  std::error_code error;
  if (fs::equivalent(from.path(), request.into, error))
    throw UsageError(
        fmt::format("{}: this is the source itself; name another folder with --into", request.into));
  return Importer(from, request).run(progress);
}

}  // namespace perfatlas
