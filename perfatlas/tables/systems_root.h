// SPDX-License-Identifier: Apache-2.0
// A published performance database: system descriptions, tables of many back ends and versions, and the files that say
// how they belong together. Read in place; nothing is copied.
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

struct SystemsRootOptions {
  bool allow_unlisted_versions = false;       // also by AIC_ALLOW_UNLISTED_VERSIONS=1, true or yes
  bool strict_provenance = false;             // also by AIC_STRICT_PROVENANCE=1 or true
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

/// Thread-safe; answers live as long as the root. Tables are read when first asked for and kept.
class SystemsRoot {
 public:
  /// `source`: a wheel, a systems folder, or a folder that holds one as systems/ or aiconfigurator_core/systems/.
  /// `ops` outlives the root. Throws UsageError when there is no such data, Error when it cannot be read.
  SystemsRoot(const std::string& source, const OpRegistry& ops, SystemsRootOptions options = {});
  ~SystemsRoot();
  SystemsRoot(const SystemsRoot&) = delete;
  SystemsRoot& operator=(const SystemsRoot&) = delete;

  const std::string& source() const;
  const FileTree& files() const;
  const RootFolders& folders() const;
  /// Licence, notice, attribution and package metadata, wherever the source has them.
  const std::vector<FileEntry>& licence_files() const;
  /// "aiconfigurator-core 0.12.0"; empty when the source does not say.
  std::string release() const;
  const OpRegistry& ops() const;

  /// Systems that have a description, sorted.
  const std::vector<std::string>& systems() const;
  /// Throws UsageError that lists the known ones, Error when the description is wrong.
  const AicSystem& system(std::string_view name) const;
  /// The folders of a system's data.
  const SystemTables& tables(std::string_view system) const;
  /// Back ends of a system that have tables, sorted; nccl and oneccl are not among them.
  std::vector<std::string> backends(std::string_view system) const;
  /// Versions of which a system has a folder with tables or with a reuse.yaml, oldest first (store/version_order.h).
  std::vector<std::string> versions(std::string_view system, std::string_view backend) const;
  /// The folder of a version has only a reuse.yaml: fine by name, never the latest.
  bool is_marker_version(std::string_view system, std::string_view backend, std::string_view version) const;

  /// The versions that may be asked for (query_versions.yaml); without that file every one of versions().
  VersionSlots slots(std::string_view system, std::string_view backend) const;
  /// The version behind what a user wrote: empty is `current` (without slots the latest with tables), the words
  /// current, previous and next, a slot's version, or, where unlisted versions are allowed, any version.
  /// Throws UsageError that lists what is accepted.
  std::string resolve_version(std::string_view system, std::string_view backend,
                              std::string_view asked) const;

  /// The files of a table, in order of precedence. Empty when there is none. Throws Error when a reuse.yaml is wrong;
  /// with strict provenance also when one of the folders says nothing of where its rows come from.
  std::vector<TableSource> sources_of(const TableRequest& request, std::string_view table) const;

  /// The merged rows of an op; never null, empty when no file has some. The tables of collective operations lie below
  /// the library version that the system's description names, whatever `request` says. The same value for the same
  /// request. Throws Error naming the file when one cannot be read; the other tables go on working.
  std::shared_ptr<const TableRows> table_rows(const OpType& op, const TableRequest& request) const;

  /// The rows of one op in one file, from the cache where that has them; not kept in memory. Throws Error.
  FileTable read_table(const OpType& op, const TableFile& file) const;

  /// Decodes every table of these systems (empty: of all) that the cache does not have, two at a time, and keeps none in
  /// memory. Returns the files that cannot be read; the others are in the cache then, as far as it can be written.
  std::vector<TableProblem> index(const std::vector<std::string>& systems,
                                  const IndexProgress& progress) const;

  /// The kernel lane that a back end uses by default on a GPU generation (attention_lane_defaults.yaml): the entry of
  /// the newest version that is not newer than `version`. Nothing when there is none.
  std::optional<std::string> default_attention_lane(std::string_view backend, std::string_view version,
                                                    int sm_version) const;

  /// Files of model_configs/, sorted: "Qwen--Qwen3-8B_config.json". Empty for folders without.
  std::vector<std::string> model_config_names() const;
  /// The text of one of them. Throws UsageError.
  std::string model_config(std::string_view name) const;

  /// silicon_sample.csv: measured serving runs. Nothing when the source has none.
  std::optional<std::string> silicon_sample() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace perfatlas
