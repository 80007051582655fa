// SPDX-License-Identifier: Apache-2.0
// Published performance databases as one: several folders or wheels (root_source.h), of which earlier ones win.
//
//   a system's back end and version   answered by the first source that has a folder of it, with that source's
//                                     description, donors and siblings: tables of two sources are never mixed
//   a version of which none has one   by the first source that describes the system
//   query_versions.yaml, model_configs/*.json, silicon_sample.csv
//                                     of the first source that has the file
//   attention_lane_defaults.yaml      of the source that answers, else of the first that has the file
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/tables/root_source.h"

namespace perfatlas {

struct SystemsRootOptions {
  bool allow_unlisted_versions = false;       // also by AIC_ALLOW_UNLISTED_VERSIONS=1, true or yes
  bool strict_provenance = false;             // also by AIC_STRICT_PROVENANCE=1 or true
  std::string cache = default_table_cache();  // folder of decoded tables (table_cache.h); empty: none
};

/// Thread-safe; answers live as long as the root.
class SystemsRoot {
 public:
  /// `sources`: see RootSource; earlier ones win. `ops` outlives the root. Throws UsageError or Error naming every
  /// source that cannot be used and why. REQUIRES: at least one source.
  SystemsRoot(const std::vector<std::string>& sources, const OpRegistry& ops,
              SystemsRootOptions options = {});
  SystemsRoot(const std::string& source, const OpRegistry& ops, SystemsRootOptions options = {})
      : SystemsRoot(std::vector{source}, ops, std::move(options)) {}
  ~SystemsRoot();
  SystemsRoot(const SystemsRoot&) = delete;
  SystemsRoot& operator=(const SystemsRoot&) = delete;

  /// The paths of the sources, for messages: "a, b".
  const std::string& source() const;
  const std::vector<std::unique_ptr<const RootSource>>& sources() const;
  const OpRegistry& ops() const;

  /// Systems that some source describes, sorted.
  const std::vector<std::string>& systems() const;
  /// The description of the first source that has one. Throws UsageError that lists the known systems, Error when the
  /// description is wrong.
  const AicSystem& system(std::string_view name) const;
  /// The source that answers for a system's back end and version. Throws as system().
  const RootSource& source_of(const TableRequest& request) const;
  /// The description that belongs to the tables of a back end and version. Throws as system().
  const AicSystem& system_of(const TableRequest& request) const;
  /// Back ends of a system that have tables in some source, sorted; nccl and oneccl are not among them.
  std::vector<std::string> backends(std::string_view system) const;
  /// Versions of which a system has a folder with tables or with a reuse.yaml, oldest first (store/version_order.h).
  std::vector<std::string> versions(std::string_view system, std::string_view backend) const;
  /// The folders of a version have only a reuse.yaml: fine by name, never the latest.
  bool is_marker_version(std::string_view system, std::string_view backend, std::string_view version) const;

  /// See SystemsRootOptions.
  bool allows_unlisted_versions() const;
  /// The versions that may be asked for (query_versions.yaml); without that file every one of versions(). Systems whose
  /// description is wrong do not count for `next`.
  VersionSlots slots(std::string_view system, std::string_view backend) const;
  /// The version behind what a user wrote: empty is `current` (without slots the latest with tables), the words
  /// current, previous and next, a slot's version, or, where unlisted versions are allowed, any that has a folder.
  /// Throws UsageError that lists what is accepted.
  std::string resolve_version(std::string_view system, std::string_view backend,
                              std::string_view asked) const;

  /// As RootSource::sources_of, of source_of(request). Throws as system().
  std::vector<TableSource> sources_of(const TableRequest& request, std::string_view table) const;
  /// As RootSource::table_rows, of source_of(request). Throws as system().
  std::shared_ptr<const TableRows> table_rows(const OpType& op, const TableRequest& request) const;

  /// The kernel lane that the back end uses by default (RootSource::default_attention_lane).
  std::optional<std::string> default_attention_lane(const TableRequest& request, int sm_version) const;

  /// Files of model_configs/, sorted.
  std::vector<std::string> model_config_names() const;
  /// The text of one of them. Throws UsageError.
  std::string model_config(std::string_view name) const;

  /// silicon_sample.csv: measured serving runs. Nothing when no source has it.
  std::optional<std::string> silicon_sample() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace perfatlas
