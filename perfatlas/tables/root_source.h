// SPDX-License-Identifier: Apache-2.0
// One published performance database: system descriptions, tables of many back ends and versions, and the files that
// say how they belong together. Read in place; nothing is copied.
//
//   systems/{system}.yaml                                      descriptions
//   systems/{data_dir}/{family}/{backend}/{version}/*_perf.*   tables (or {backend}/{version}/ without a family)
//   systems/query_versions.yaml, attention_lane_defaults.yaml, perf_data_reuse_manifest.yaml, silicon_sample.csv
//   model_configs/*.json                                       beside systems/, in a wheel
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/registry.h"
#include "perfatlas/tables/aic_system.h"
#include "perfatlas/tables/file_tree.h"
#include "perfatlas/tables/query_versions.h"
#include "perfatlas/tables/root_folders.h"
#include "perfatlas/tables/system_tables.h"
#include "perfatlas/tables/table_cache.h"
#include "perfatlas/tables/table_rows.h"
#include "perfatlas/tables/table_source.h"

namespace perfatlas {

struct RootSourceOptions {
  bool strict_provenance = false;
  std::string cache = default_table_cache();  // folder of decoded tables (table_cache.h); empty: none
};

/// Called with the files done and those to do, from several threads but not at once.
using IndexProgress = std::function<void(size_t done, size_t all)>;

/// A file that could not be read, and why.
struct TableProblem {
  std::string path;  // in the tree
  std::string reason;
  bool operator==(const TableProblem&) const = default;
};

/// Thread-safe; answers live as long as the source. Tables are read when first asked for and kept.
class RootSource {
 public:
  /// `path`: a wheel, a systems folder, or a folder that holds one as systems/ or aiconfigurator_core/systems/.
  /// `ops` outlives the source. Throws UsageError when there is no such data, Error when it cannot be read.
  RootSource(const std::string& path, const OpRegistry& ops, RootSourceOptions options = {});
  ~RootSource();
  RootSource(const RootSource&) = delete;
  RootSource& operator=(const RootSource&) = delete;

  /// The path it was opened from.
  const std::string& path() const;
  const FileTree& files() const;
  const RootFolders& folders() const;
  /// Licence, notice, attribution and package metadata, wherever the source has them.
  const std::vector<FileEntry>& licence_files() const;
  /// "aiconfigurator-core 0.12.0"; empty when the source does not say.
  const std::string& release() const;
  const OpRegistry& ops() const;

  /// Systems that have a description, sorted.
  const std::vector<std::string>& systems() const;
  bool describes(std::string_view system) const;
  /// Throws UsageError that lists the known ones, Error when the description is wrong.
  const AicSystem& system(std::string_view name) const;
  /// The folders of a system's data. Throws as system().
  const SystemTables& tables(std::string_view system) const;
  /// Back ends of a system that have tables, sorted; nccl and oneccl are not among them. Throws as system().
  std::vector<std::string> backends(std::string_view system) const;

  /// query_versions.yaml; nothing when the source has none. Throws Error when it is wrong.
  const std::optional<QueryVersions>& query_versions() const;
  /// The kernel lane that a back end uses by default on a GPU generation (attention_lane_defaults.yaml): the entry of
  /// the newest version that is not newer than `version`. Nothing when there is none.
  std::optional<std::string> default_attention_lane(std::string_view backend, std::string_view version,
                                                    int sm_version) const;
  bool has_attention_lanes() const;
  /// The text of a file beside the descriptions, or nothing.
  std::optional<std::string> file_beside(std::string_view name) const;

  /// The files of a table, in order of precedence. Empty when there is none. Throws Error when a reuse.yaml is wrong;
  /// with strict provenance also when one of the folders says nothing of where its rows come from.
  std::vector<TableSource> sources_of(const TableRequest& request, std::string_view table) const;
  /// The merged rows of an op; never null, empty when no file has some. The tables of collective operations lie below
  /// the library version that the system's description names, whatever `request` says. The same value for the same
  /// request. Throws Error naming the file when one cannot be read; the other tables go on working.
  std::shared_ptr<const TableRows> table_rows(const OpType& op, const TableRequest& request) const;
  /// The rows of one op in one file, from the cache where that has them; not kept in memory. Throws Error.
  FileTable read_table(const OpType& op, const TableFile& file) const;

  /// Decodes every table of these systems (empty: of all) that the cache does not have, two at a time, and keeps none
  /// in memory. Returns the files that cannot be read; the others are in the cache then, as far as it can be written.
  std::vector<TableProblem> index(const std::vector<std::string>& systems,
                                  const IndexProgress& progress) const;

  /// Files of model_configs/, sorted: "Qwen--Qwen3-8B_config.json". Empty for folders without.
  std::vector<std::string> model_config_names() const;
  /// The text of one of them; nothing when there is none of that name.
  std::optional<std::string> model_config(std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace perfatlas
