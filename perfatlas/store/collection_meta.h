// SPDX-License-Identifier: Apache-2.0
// The sidecar of a table folder, collection_meta.yaml: where its rows come from. The keys schema_version, provenance,
// runtime and tables are those of published data; perfatlas's own facts stand below the key `perfatlas`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace perfatlas {

/// Of the files that `place` writes. A reader refuses newer ones.
inline constexpr int kDataFormatRevision = 1;

/// One table of the folder. Unknown texts are empty and not written.
struct TableProvenance {
  std::string collector_ref;   // revision of the tool that measured
  std::string collector_hash;  // published data only
  std::string case_plan_hash;  // hex16 of the plan; several joined by '+' when merged
  std::string collected_at;    // date of the newest row, YYYY-MM-DD
  std::optional<int64_t> rows;
  std::string status;                       // "complete" or "partial"
  std::optional<int> op_revision;           // OpInfo::revision
  std::map<std::string, int64_t> outcomes;  // measured, skipped, failed, crashed, timed_out -> cases
  bool operator==(const TableProvenance&) const = default;
};

/// What was really running while rows were measured, as one collection saw it.
struct LiveRuntime {
  std::string run_id;
  std::string date;       // ISO 8601, UTC
  std::string tool;       // "perfatlas 0.1.0"
  std::string device;     // vendor's name
  std::string device_id;  // UUID when the device has one
  std::string plan_hash;
  std::map<std::string, std::string> versions;  // driver and libraries
  std::map<std::string, std::string> settings;  // measuring options, clocks: state that was recorded
  std::map<std::string, std::map<std::string, int64_t>>
      outcomes;  // table -> outcome -> cases decided by this run
  bool operator==(const LiveRuntime&) const = default;
};

struct CollectionMeta {
  int schema_version = 1;                      // of the published part: 1 or 2
  std::string provenance;                      // collected, legacy or local; empty: not said
  std::map<std::string, std::string> runtime;  // framework, version, image, image_digest, ...
  std::map<std::string, TableProvenance> tables;
  std::optional<int> format_revision;  // absent in published data
  std::vector<LiveRuntime> collections;
  bool operator==(const CollectionMeta&) const = default;
};

inline constexpr const char* kCollectionMetaFile = "collection_meta.yaml";

/// The sidecar of `folder`, or nothing when there is none. Throws Error naming the file and the key that is wrong,
/// or that the folder was written by a newer perfatlas.
std::optional<CollectionMeta> read_collection_meta(const std::string& folder);

/// The same from the text of a sidecar; `path` stands for it in errors.
CollectionMeta parse_collection_meta(const std::string& text, const std::string& path);

/// As text; keys in a fixed order, so equal values give equal bytes.
std::string collection_meta_yaml(const CollectionMeta& meta);

/// Replaces the sidecar of `folder` atomically. Throws Error when it cannot.
void write_collection_meta(const CollectionMeta& meta, const std::string& folder);

}  // namespace perfatlas
