// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/systems_root.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/store/version_order.h"
#include "perfatlas/tables/memo_impl.h"
#include "perfatlas/tables/root_location_impl.h"
#include "perfatlas/tables/source_resolution.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {
namespace {

constexpr const char* kVersionsFile = "query_versions.yaml";
constexpr const char* kLanesFile = "attention_lane_defaults.yaml";
constexpr const char* kSampleFile = "silicon_sample.csv";
constexpr std::string_view kYaml = ".yaml";

/// Libraries of collective operations: not back ends, their versions come from the system's description.
struct CommLibrary {
  std::string_view table, backend;
  std::optional<std::string> AicSystem::*version;
};
constexpr CommLibrary kCommLibraries[] = {{"nccl_perf", "nccl", &AicSystem::nccl_version},
                                          {"oneccl_perf", "oneccl", &AicSystem::oneccl_version}};

bool flag_from_environment(const char* name) {
  const char* const value = std::getenv(name);
  const std::string_view text = value == nullptr ? "" : value;
  return text == "1" || text == "true" || text == "yes";
}

std::string joined(const std::vector<std::string>& words) { return join_words({words.begin(), words.end()}); }

/// Newest first by version_tuple; false when one of them is no version.
bool newer_tuple(std::string_view a, std::string_view b) {
  const auto left = version_tuple(a), right = version_tuple(b);
  return left && right && *left > *right;
}

}  // namespace

struct SystemsRoot::State {
  State(const OpRegistry& known, SystemsRootOptions chosen, const std::string& source)
      : ops(known),
        options(std::move(chosen)),
        location(locate_root(source)),
        cache(options.cache, *location.files) {}

  const OpRegistry& ops;
  SystemsRootOptions options;
  RootLocation location;
  TableCache cache;

  Memo<AicSystem> systems;
  Memo<SystemTables> tables;
  Memo<std::vector<TableDonor>> donors;
  Memo<std::vector<SharedKernel>> shared_kernels;
  Memo<std::optional<QueryVersions>> versions;
  Memo<VersionSlots> slots;
  Memo<FileTable> files;
  Memo<TableRows> rows;

  const FileTree& tree() const { return *location.files; }
  std::string path(std::string_view name) const { return location.folders.systems + std::string(name); }

  const SystemTables& tables_of(const AicSystem& system) {
    return *tables.get(system.name, [&] { return SystemTables(tree(), path(system.data_dir)); });
  }
  const std::optional<QueryVersions>& query_versions() {
    return *versions.get("", [&]() -> std::optional<QueryVersions> {
      const std::string file = path(kVersionsFile);
      if (!tree().exists(file)) return std::nullopt;
      return parse_query_versions(tree().read(file), tree().name_of(file));
    });
  }
  const std::vector<SharedKernel>& manifest() {
    return *shared_kernels.get("", [&]() -> std::vector<SharedKernel> {
      const std::string file = path(kReuseManifestFile);
      if (!tree().exists(file)) return {};
      return parse_reuse_manifest(tree().read(file), tree().name_of(file));
    });
  }
  const std::vector<TableDonor>& donors_of(const SystemTables& found, const TableRequest& request) {
    return *donors.get(fmt::format("{}/{}/{}", request.system, request.backend, request.version), [&] {
      std::vector<TableDonor> all;
      for (const VersionFolder* const folder : found.of(request.backend, request.version)) {
        if (!folder->has_reuse) continue;
        const std::string file = folder->path + "/" + kReuseFile;
        for (TableDonor& donor : parse_reuse(tree().read(file), tree().name_of(file)))
          all.push_back(std::move(donor));
      }
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
};

SystemsRoot::SystemsRoot(const std::string& source, const OpRegistry& ops, SystemsRootOptions options)
    : state_(new State(ops, std::move(options), source)) {
  state_->options.allow_unlisted_versions |= flag_from_environment("AIC_ALLOW_UNLISTED_VERSIONS");
  state_->options.strict_provenance |= flag_from_environment("AIC_STRICT_PROVENANCE");
}

SystemsRoot::~SystemsRoot() = default;

const std::string& SystemsRoot::source() const { return state_->tree().source(); }
const FileTree& SystemsRoot::files() const { return state_->tree(); }
const RootFolders& SystemsRoot::folders() const { return state_->location.folders; }
const std::vector<FileEntry>& SystemsRoot::licence_files() const { return state_->location.licences; }
std::string SystemsRoot::release() const { return state_->location.release; }
FileTable SystemsRoot::read_table(const OpType& op, const TableFile& file) const {
  return state_->read_table(op, file.format, file.path);
}
const OpRegistry& SystemsRoot::ops() const { return state_->ops; }
const std::vector<std::string>& SystemsRoot::systems() const { return state_->location.system_names; }

const AicSystem& SystemsRoot::system(std::string_view name) const {
  const auto& names = state_->location.system_names;
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw UsageError(fmt::format("{}: there is no system '{}'; there are {}", source(), name, joined(names)));
  return *state_->systems.get(std::string(name), [&] {
    const std::string file = state_->path(std::string(name) + std::string(kYaml));
    return parse_aic_system(state_->tree().read(file), name, state_->tree().name_of(file));
  });
}

const SystemTables& SystemsRoot::tables(std::string_view name) const {
  return state_->tables_of(system(name));
}

std::vector<std::string> SystemsRoot::backends(std::string_view name) const {
  std::vector<std::string> found = tables(name).backends();
  for (const CommLibrary& library : kCommLibraries)
    found.erase(std::remove(found.begin(), found.end(), library.backend), found.end());
  return found;
}

std::vector<std::string> SystemsRoot::versions(std::string_view name, std::string_view backend) const {
  return tables(name).versions(backend);
}

bool SystemsRoot::is_marker_version(std::string_view name, std::string_view backend,
                                    std::string_view version) const {
  const auto folders = tables(name).of(backend, version);
  return !folders.empty() && std::all_of(folders.begin(), folders.end(),
                                         [](const VersionFolder* f) { return f->tables.empty(); });
}

VersionSlots SystemsRoot::slots(std::string_view name, std::string_view backend) const {
  const auto& written = state_->query_versions();
  if (!written || versions(name, backend).empty()) return {};
  return *state_->slots.get(fmt::format("{}/{}", name, backend), [&] {
    VersionSlots slots = written->written(name, backend);
    if (!slots.current || written->overridden(name, backend)) return slots;
    for (const std::string& other : systems()) {
      if (written->overridden(other, backend)) continue;
      for (const std::string& version : versions(other, backend))
        if (!is_marker_version(other, backend, version) && newer_tuple(version, *slots.current) &&
            (!slots.next || newer_tuple(version, *slots.next)))
          slots.next = version;
    }
    return slots;
  });
}

std::string SystemsRoot::resolve_version(std::string_view name, std::string_view backend,
                                         std::string_view asked) const {
  const std::vector<std::string> known = versions(name, backend);
  if (known.empty()) {
    const std::vector<std::string> others = backends(name);
    throw UsageError(fmt::format(
        "{}: {} has no tables of back end '{}'; {}", source(), name, backend,
        others.empty() ? "it has none at all, only a description" : "there are " + joined(others)));
  }
  const auto& written = state_->query_versions();
  if (!written) {
    if (asked.empty()) {
      for (auto version = known.rbegin(); version != known.rend(); ++version)
        if (!is_marker_version(name, backend, *version)) return *version;
      return known.back();
    }
    if (std::find(known.begin(), known.end(), asked) != known.end()) return std::string(asked);
    throw UsageError(fmt::format("{}: {} has no version '{}' of {}; there are {}", source(), name, asked,
                                 backend, joined(known)));
  }
  const VersionSlots stated = written->written(name, backend);
  if ((asked.empty() || asked == "current") && stated.current) return *stated.current;
  if (asked == stated.current || asked == stated.previous) return std::string(asked);
  const VersionSlots all = slots(name, backend);
  if (asked == "previous" && all.previous) return *all.previous;
  if (asked == "next" && all.next) return *all.next;
  if (!asked.empty() && asked == all.next) return std::string(asked);
  const bool a_word = asked.empty() || asked == "current" || asked == "previous" || asked == "next";
  if (state_->options.allow_unlisted_versions && !a_word) return std::string(asked);
  std::vector<std::string> accepted;
  for (const auto& [word, slot] :
       {std::pair{"current", all.current}, {"previous", all.previous}, {"next", all.next}})
    if (slot) accepted.push_back(fmt::format("{} ({})", word, *slot));
  throw UsageError(fmt::format(
      "{}: version '{}' of {} cannot be asked for on {}: {}; other versions only with "
      "AIC_ALLOW_UNLISTED_VERSIONS=1",
      source(), asked, backend, name, accepted.empty() ? "none is listed" : "there are " + joined(accepted)));
}

std::vector<TableSource> SystemsRoot::sources_of(const TableRequest& request, std::string_view table) const {
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

std::shared_ptr<const TableRows> SystemsRoot::table_rows(const OpType& op,
                                                         const TableRequest& request) const {
  const std::string key = fmt::format("{} {}/{}/{} {}", op.info.id, request.system, request.backend,
                                      request.version, int(request.shared));
  return state_->rows.get(key, [&] {
    std::vector<TableSource> sources = sources_of(request, op.published_table());
    if (!op.info.second_table.empty())
      for (TableSource& source : sources_of(request, op.info.second_table))
        sources.push_back(std::move(source));
    if (op.layout.merge.files == TableMerge::Files::first && sources.size() > 1) sources.resize(1);
    std::vector<SourceFile> files;
    for (TableSource& source : sources) {
      auto table = state_->file_table(op, source);
      files.push_back({std::move(source), std::move(table)});
    }
    return TableRows(op, files);
  });
}

std::optional<std::string> SystemsRoot::default_attention_lane(std::string_view backend,
                                                               std::string_view version,
                                                               int sm_version) const {
  const std::string file = state_->path(kLanesFile);
  if (!state_->tree().exists(file)) return std::nullopt;
  std::optional<std::string> lane;
  with_yaml(state_->tree().read(file), state_->tree().name_of(file), [&](const YamlPlace& root) {
    const auto asked = leading_integers(version);
    std::vector<int64_t> best;
    if (!root.has(std::string(backend))) return;
    root.at(std::string(backend)).each_key([&](const std::string& from, const YamlPlace& lanes) {
      const auto start = leading_integers(from);
      if (start > asked || start < best) return;
      best = start;
      lane = lanes.need_map().text_of(std::to_string(sm_version));
    });
  });
  return lane;
}

std::vector<std::string> SystemsRoot::model_config_names() const {
  std::vector<std::string> names;
  for (const FileEntry& entry : state_->tree().list(state_->location.folders.models))
    names.push_back(entry.path.substr(entry.path.rfind('/') + 1));
  return names;
}

std::string SystemsRoot::model_config(std::string_view name) const {
  const std::string file = fmt::format("{}/{}", state_->location.folders.models, name);
  if (name.find('/') != name.npos || !state_->tree().exists(file))
    throw UsageError(fmt::format("{}: there is no model configuration '{}'", source(), name));
  return state_->tree().read(file);
}

std::optional<std::string> SystemsRoot::silicon_sample() const {
  const std::string file = state_->path(kSampleFile);
  if (!state_->tree().exists(file)) return std::nullopt;
  return state_->tree().read(file);
}

}  // namespace perfatlas
