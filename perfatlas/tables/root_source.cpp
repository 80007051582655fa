// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/root_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/base/text.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/tables/memo_impl.h"
#include "perfatlas/tables/root_location_impl.h"
#include "perfatlas/tables/source_resolution.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {
namespace {

constexpr const char* kVersionsFile = "query_versions.yaml";
constexpr const char* kLanesFile = "attention_lane_defaults.yaml";
constexpr std::string_view kYaml = ".yaml";
constexpr std::string_view kParsedYaml = "YAML document";

constexpr size_t kLeastKeptRows = 4096;  // fewer are merged as fast as a kept merge is found

/// Libraries of collective operations: not back ends, their versions come from the system's description.
struct CommLibrary {
  std::string_view table;
  std::string_view backend;
  std::optional<std::string> AicSystem::*version;
};
constexpr CommLibrary kCommLibraries[] = {{"nccl_perf", "nccl", &AicSystem::nccl_version},
                                          {"oneccl_perf", "oneccl", &AicSystem::oneccl_version}};

}  // namespace

struct RootSource::State {
  State(const OpRegistry& known, RootSourceOptions chosen, const std::string& source)
      : ops(known),
        options(std::move(chosen)),
        location(locate_root(source, options.cache)),
        cache(options.cache, *location.files) {}

  const OpRegistry& ops;
  RootSourceOptions options;
  RootLocation location;
  TableCache cache;

  Memo<AicSystem> systems;
  Memo<SystemTables> tables;
  Memo<std::vector<TableDonor>> donors;
  Memo<std::vector<SharedKernel>> shared_kernels;
  Memo<std::optional<QueryVersions>> versions;
  std::atomic<bool> has_manifest = false;
  Memo<FileTable> files;
  Memo<TableRows> rows;

  const FileTree& tree() const { return *location.files; }
  std::string path(std::string_view name) const { return location.folders.systems + std::string(name); }

  std::optional<FileEntry> description_of(std::string_view system) const {
    return tree().entry(path(system) + std::string(kYaml));
  }

  const AicSystem& system(std::string_view name) {
    return *systems.get(std::string(name), [&] {
      const std::string file = path(name) + std::string(kYaml);
      const auto found = document(file);
      if (!found) throw Error(fmt::format("{}: it has gone; fetch it again", tree().name_of(file)));
      return read_aic_system(*found, name);
    });
  }
  const SystemTables& tables_of(const AicSystem& system) {
    return *tables.get(system.name, [&] { return SystemTables(tree(), path(system.data_dir)); });
  }
  /// A YAML file, from the cache where that has it; nothing when it is not there. Throws Error when it is no YAML.
  std::optional<YamlDocument> document(const std::string& file) const {
    const std::optional<FileEntry> entry = tree().entry(file);
    if (!entry) return std::nullopt;
    std::string name = tree().name_of(file);
    if (auto bytes = cache.load_bytes(kParsedYaml, *entry))
      if (auto kept = YamlDocument::of_bytes(std::move(*bytes), name)) return kept;
    YamlDocument parsed = YamlDocument::parse(tree().read(file), std::move(name));
    cache.store_bytes(kParsedYaml, *entry, parsed.bytes());
    return parsed;
  }
  const std::optional<QueryVersions>& query_versions() {
    return *versions.get("", [&]() -> std::optional<QueryVersions> {
      const auto found = document(path(kVersionsFile));
      return found ? std::optional(read_query_versions(*found)) : std::nullopt;
    });
  }
  const std::vector<SharedKernel>& manifest() {
    return *shared_kernels.get("", [&]() -> std::vector<SharedKernel> {
      const auto found = document(path(kReuseManifestFile));
      return found ? read_reuse_manifest(*found) : std::vector<SharedKernel>();
    });
  }
  const std::vector<TableDonor>& donors_of(const SystemTables& found, const TableRequest& request) {
    return *donors.get(fmt::format("{}/{}/{}", request.system, request.backend, request.version), [&] {
      std::vector<TableDonor> all;
      for (const VersionFolder* const folder : found.of(request.backend, request.version))
        if (const auto reuse = document(folder->path + "/" + kReuseFile))
          for (TableDonor& donor : read_reuse(*reuse)) all.push_back(std::move(donor));
      return all;
    });
  }
  /// Throws Error unless the sidecar beside a table speaks of it, or its folder is older than sidecars are.
  void need_provenance(const TableSource& source) const {
    const std::string file = source.path.substr(0, source.path.rfind('/') + 1) + kCollectionMetaFile;
    const std::string name = tree().name_of(file);
    if (!tree().exists(file))
      throw Error(fmt::format("{}: is missing, and strict provenance was asked for", name));
    const CollectionMeta meta = parse_collection_meta(tree().read(file), name);
    if (meta.provenance != "legacy" && !meta.tables.contains(source.table))
      throw Error(
          fmt::format("{}: does not speak of {}, and strict provenance was asked for", name, source.table));
  }
  FileTable read_table(const OpType& op, TableFormat format, const std::string& file) const {
    const std::string name = tree().name_of(file);
    const std::optional<FileEntry> entry = tree().entry(file);
    if (!entry) throw Error(fmt::format("{}: it has gone; fetch it again", name));
    if (auto kept = cache.load(op, *entry)) return std::move(*kept);
    FileTable table = make_file_table(op, parse_columns(format, tree().read(file), name), name);
    cache.store(table, *entry);
    return table;
  }
  std::shared_ptr<const FileTable> file_table(const OpType& op, const TableSource& source) {
    return files.get(fmt::format("{}:{}", op.info.id, source.path),
                     [&] { return read_table(op, source.format, source.path); });
  }

  /// The tables of all sources, several at a time. Throws what the first one that cannot be read throws.
  std::vector<SourceFile> read_all(const OpType& op, const std::vector<TableSource>& sources) {
    std::vector<SourceFile> read(sources.size());
    std::vector<std::exception_ptr> failures(sources.size());
    for_each_parallel(sources.size(), [&](size_t i) {
      try {
        read[i] = {sources[i], file_table(op, sources[i])};
      } catch (const Error&) {
        failures[i] = std::current_exception();
      }
    });
    for (const std::exception_ptr& failure : failures)
      if (failure) std::rethrow_exception(failure);
    return read;
  }

  /// Begins to read the request's own file while the reuse manifest, which is read once, is still on its way: without
  /// the cache each takes as long as the other.
  void read_ahead(const OpType& op, const TableRequest& request) {
    if (request.shared == SharedLayer::off || has_manifest) return;
    const SystemTables& found = tables_of(system(request.system));
    TableRequest own = request;
    own.shared = SharedLayer::off;
    const std::vector<TableSource> sources = resolve_sources(found, own, op.published_table(), {}, {});
    on_threads(2, 2, [&](size_t, size_t i) {
      try {
        if (i == 0)
          (void)manifest();
        else if (!sources.empty())
          (void)file_table(op, sources.front());
      } catch (const Error&) {  // is said to whoever needs it
      }
    });
    has_manifest = true;
  }

  TableRows merged_rows(const OpType& op, const std::string& system_name,
                        const std::vector<TableSource>& sources) {
    std::vector<FileEntry> entries;
    for (const TableSource& source : sources)
      entries.push_back(tree().entry(source.path).value_or(FileEntry()));
    const Hash128 origin =
        cache.origin_of(op, sources, entries, description_of(system_name).value_or(FileEntry()));
    if (const auto kept = sources.size() > 1 ? cache.load_merge(op, sources, entries) : std::nullopt)
      if (auto merged = TableRows::of_merged(
              op, sources, origin, *kept, [&](const TableSource& source) { return file_table(op, source); }))
        return std::move(*merged);
    TableRows merged(op, read_all(op, sources), origin);
    if (sources.size() > 1 && merged.size() >= kLeastKeptRows) cache.store_merge(merged, entries);
    return merged;
  }
};

RootSource::RootSource(const std::string& path, const OpRegistry& ops, RootSourceOptions options)
    : state_(new State(ops, std::move(options), path)) {}

RootSource::~RootSource() = default;

const std::string& RootSource::path() const { return state_->tree().source(); }
const FileTree& RootSource::files() const { return state_->tree(); }
const RootFolders& RootSource::folders() const { return state_->location.folders; }
const std::vector<FileEntry>& RootSource::licence_files() const { return state_->location.licences; }
const std::string& RootSource::release() const { return state_->location.release; }
const OpRegistry& RootSource::ops() const { return state_->ops; }
const std::vector<std::string>& RootSource::systems() const { return state_->location.system_names; }
const std::optional<QueryVersions>& RootSource::query_versions() const { return state_->query_versions(); }

bool RootSource::describes(std::string_view system) const {
  return std::binary_search(systems().begin(), systems().end(), system);
}

const AicSystem& RootSource::system(std::string_view name) const {
  if (!describes(name))
    throw UsageError(fmt::format("{}: there is no system '{}'; there are {}", path(), name,
                                 join_words({systems().begin(), systems().end()})));
  return state_->system(name);
}

const SystemTables& RootSource::tables(std::string_view name) const {
  return state_->tables_of(system(name));
}

std::vector<std::string> RootSource::backends(std::string_view name) const {
  std::vector<std::string> found = tables(name).backends();
  for (const CommLibrary& library : kCommLibraries)
    found.erase(std::remove(found.begin(), found.end(), library.backend), found.end());
  return found;
}

FileTable RootSource::read_table(const OpType& op, const TableFile& file) const {
  return state_->read_table(op, file.format, file.path);
}

std::vector<TableSource> RootSource::sources_of(const TableRequest& request, std::string_view table) const {
  const AicSystem& described = system(request.system);
  const SystemTables& found = state_->tables_of(described);
  for (const CommLibrary& library : kCommLibraries) {
    if (table != library.table) continue;
    TableRequest own = request;
    own.shared = SharedLayer::off;
    if (found.holder(table, request.backend, request.version) == nullptr) {
      if (!(described.*library.version)) return {};
      own.backend = library.backend;
      own.version = *(described.*library.version);
    }
    return resolve_sources(found, own, table, {}, {});
  }
  const bool shared = request.shared == SharedLayer::on;
  std::vector<TableSource> sources = resolve_sources(
      found, request, table, shared ? state_->donors_of(found, request) : std::span<const TableDonor>(),
      shared ? state_->manifest() : std::span<const SharedKernel>());
  if (state_->options.strict_provenance)
    for (const TableSource& source : sources) state_->need_provenance(source);
  return sources;
}

std::shared_ptr<const TableRows> RootSource::table_rows(const OpType& op, const TableRequest& request) const {
  const std::string key = fmt::format("{} {}/{}/{} {}", op.info.id, request.system, request.backend,
                                      request.version, int(request.shared));
  return state_->rows.get(key, [&] {
    (void)system(request.system);  // names the known ones
    state_->read_ahead(op, request);
    std::vector<TableSource> sources = sources_of(request, op.published_table());
    if (!op.info.second_table.empty())
      for (TableSource& source : sources_of(request, op.info.second_table))
        sources.push_back(std::move(source));
    if (op.layout.merge.files == TableMerge::Files::first && sources.size() > 1) sources.resize(1);
    return state_->merged_rows(op, request.system, sources);
  });
}

std::optional<std::string> RootSource::default_attention_lane(std::string_view backend,
                                                              std::string_view version,
                                                              int sm_version) const {
  const auto found = state_->document(state_->path(kLanesFile));
  std::optional<std::string> lane;
  if (!found || !found->root().has(std::string(backend))) return lane;
  const auto asked = leading_integers(version);
  std::vector<int64_t> best;
  found->root().at(std::string(backend)).each_key([&](const std::string& from, const YamlPlace& lanes) {
    const auto start = leading_integers(from);
    if (start > asked || start < best) return;
    best = start;
    lane = lanes.need_map().text_of(std::to_string(sm_version));
  });
  return lane;
}

bool RootSource::has_attention_lanes() const { return state_->tree().exists(state_->path(kLanesFile)); }

std::optional<std::string> RootSource::file_beside(std::string_view name) const {
  const std::string file = state_->path(name);
  if (!state_->tree().exists(file)) return std::nullopt;
  return state_->tree().read(file);
}

std::vector<std::string> RootSource::model_config_names() const {
  std::vector<std::string> names;
  for (const FileEntry& entry : state_->tree().list(state_->location.folders.models))
    names.push_back(entry.path.substr(entry.path.rfind('/') + 1));
  return names;
}

std::optional<std::string> RootSource::model_config(std::string_view name) const {
  const std::string file = fmt::format("{}/{}", state_->location.folders.models, name);
  if (name.find('/') != name.npos || !state_->tree().exists(file)) return std::nullopt;
  return state_->tree().read(file);
}

}  // namespace perfatlas
