// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/collection_meta.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"

namespace perfatlas {
namespace {

// ---- writing -------------------------------------------------------------------------------------------------------

void emit_text(YAML::Emitter& out, const char* key, const std::string& value) {
  if (!value.empty()) out << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << value << YAML::Auto;
}

template <class Value>
void emit_map(YAML::Emitter& out, const char* key, const std::map<std::string, Value>& values) {
  if (values.empty()) return;
  out << YAML::Key << key << YAML::Value << YAML::BeginMap;
  for (const auto& [name, value] : values) {
    if constexpr (std::is_same_v<Value, std::string>)
      emit_text(out, name.c_str(), value);
    else
      out << YAML::Key << name << YAML::Value << value;
  }
  out << YAML::EndMap;
}

void emit_table(YAML::Emitter& out, const std::string& name, const TableProvenance& table) {
  out << YAML::Key << name << YAML::Value << YAML::BeginMap;
  emit_text(out, "collector_ref", table.collector_ref);
  emit_text(out, "collector_hash", table.collector_hash);
  emit_text(out, "case_plan_hash", table.case_plan_hash);
  emit_text(out, "collected_at", table.collected_at);
  if (table.rows) out << YAML::Key << "rows" << YAML::Value << *table.rows;
  emit_text(out, "status", table.status);
  if (table.op_revision) out << YAML::Key << "op_revision" << YAML::Value << *table.op_revision;
  emit_map(out, "outcomes", table.outcomes);
  out << YAML::EndMap;
}

void emit_collection(YAML::Emitter& out, const LiveRuntime& live) {
  out << YAML::BeginMap;
  emit_text(out, "run_id", live.run_id);
  emit_text(out, "date", live.date);
  emit_text(out, "tool", live.tool);
  emit_text(out, "device", live.device);
  emit_text(out, "device_id", live.device_id);
  emit_text(out, "plan_hash", live.plan_hash);
  emit_map(out, "versions", live.versions);
  emit_map(out, "settings", live.settings);
  if (!live.outcomes.empty()) {
    out << YAML::Key << "outcomes" << YAML::Value << YAML::BeginMap;
    for (const auto& [table, counts] : live.outcomes) emit_map(out, table.c_str(), counts);
    out << YAML::EndMap;
  }
  out << YAML::EndMap;
}

// ---- reading -------------------------------------------------------------------------------------------------------

/// A node with its place in the file, for errors.
struct Place {
  YAML::Node node;
  std::string name;  // "tables.gemm_perf.rows"

  [[noreturn]] void refuse(std::string_view reason) const {
    throw Error(fmt::format("{}: {}; mend the file or place its tables again", name, reason));
  }
  Place at(const std::string& key) const {
    return {std::as_const(node)[key], name.ends_with(':') ? name + " " + key : name + "." + key};
  }
  bool has(const std::string& key) const { return node.IsMap() && std::as_const(node)[key].IsDefined(); }
  void need_map() const {
    if (!node.IsMap()) refuse("a map of keys is expected here");
  }
};

std::string read_text(const Place& parent, const char* key) {
  if (!parent.has(key)) return {};
  const Place place = parent.at(key);
  if (place.node.IsNull()) return {};
  if (!place.node.IsScalar()) place.refuse("a text is expected here");
  return place.node.Scalar();
}

template <class Number>
std::optional<Number> read_number(const Place& parent, const char* key) {
  if (!parent.has(key) || parent.at(key).node.IsNull()) return std::nullopt;
  const Place place = parent.at(key);
  try {
    return place.node.as<Number>();
  } catch (const YAML::Exception&) {
    place.refuse("a whole number is expected here");
  }
}

/// A text, or what is no text in one line of YAML: published sidecars describe runtimes by lists and maps, too.
std::string read_text_or_flow(const Place& place) {
  if (place.node.IsNull()) return {};
  if (place.node.IsScalar()) return place.node.Scalar();
  YAML::Emitter out;
  out << YAML::Flow << place.node;
  return out.c_str();
}

template <class Value>
std::map<std::string, Value> read_map(const Place& parent, const char* key) {
  std::map<std::string, Value> values;
  if (!parent.has(key) || parent.at(key).node.IsNull()) return values;
  const Place place = parent.at(key);
  place.need_map();
  for (const auto& entry : place.node) {
    const std::string name = entry.first.Scalar();
    if constexpr (std::is_same_v<Value, std::string>)
      values[name] = read_text_or_flow(place.at(name));
    else if (const auto number = read_number<Value>(place, name.c_str()))
      values[name] = *number;
  }
  return values;
}

TableProvenance read_provenance(const Place& place) {
  place.need_map();
  return {.collector_ref = read_text(place, "collector_ref"),
          .collector_hash = read_text(place, "collector_hash"),
          .case_plan_hash = read_text(place, "case_plan_hash"),
          .collected_at = read_text(place, "collected_at"),
          .rows = read_number<int64_t>(place, "rows"),
          .status = read_text(place, "status"),
          .op_revision = read_number<int>(place, "op_revision"),
          .outcomes = read_map<int64_t>(place, "outcomes")};
}

LiveRuntime read_live(const Place& place) {
  place.need_map();
  std::map<std::string, std::map<std::string, int64_t>> outcomes;
  if (place.has("outcomes")) {
    const Place tables = place.at("outcomes");
    tables.need_map();
    for (const auto& entry : tables.node)
      outcomes[entry.first.Scalar()] = read_map<int64_t>(tables, entry.first.Scalar().c_str());
  }
  return {.run_id = read_text(place, "run_id"),
          .date = read_text(place, "date"),
          .tool = read_text(place, "tool"),
          .device = read_text(place, "device"),
          .device_id = read_text(place, "device_id"),
          .plan_hash = read_text(place, "plan_hash"),
          .versions = read_map<std::string>(place, "versions"),
          .settings = read_map<std::string>(place, "settings"),
          .outcomes = std::move(outcomes)};
}

void read_own_part(const Place& own, CollectionMeta& meta) {
  own.need_map();
  meta.format_revision = read_number<int>(own, "format_revision");
  if (!meta.format_revision) own.refuse("the key format_revision is missing");
  if (*meta.format_revision > kDataFormatRevision)
    throw Error(fmt::format("{}: format revision {} is newer than this program's {}; update perfatlas",
                            own.name, *meta.format_revision, kDataFormatRevision));
  if (!own.has("collections")) return;
  const Place list = own.at("collections");
  if (!list.node.IsSequence()) list.refuse("a list is expected here");
  for (size_t i = 0; i < list.node.size(); ++i)
    meta.collections.push_back(read_live({list.node[i], fmt::format("{}[{}]", list.name, i)}));
}

/// Version 2 adds to version 1 a list of collections for each table, which says nothing about the rows.
constexpr int kNewestMetaSchema = 2;

CollectionMeta parse_meta(const std::string& text, const std::string& path) {
  const Place root{YAML::Load(text), path + ":"};
  root.need_map();
  CollectionMeta meta;
  meta.schema_version = read_number<int>(root, "schema_version").value_or(1);
  if (meta.schema_version > kNewestMetaSchema)
    throw Error(fmt::format("{}: schema_version {} is newer than this program's {}; update perfatlas", path,
                            meta.schema_version, kNewestMetaSchema));
  if (root.has("perfatlas")) read_own_part(root.at("perfatlas"), meta);
  meta.provenance = read_text(root, "provenance");
  meta.runtime = read_map<std::string>(root, "runtime");
  if (!root.has("tables")) return meta;
  const Place tables = root.at("tables");
  tables.need_map();
  for (const auto& entry : tables.node)
    meta.tables[entry.first.Scalar()] = read_provenance(tables.at(entry.first.Scalar()));
  return meta;
}

}  // namespace

std::string collection_meta_yaml(const CollectionMeta& meta) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "schema_version" << YAML::Value << meta.schema_version;
  emit_text(out, "provenance", meta.provenance);
  emit_map(out, "runtime", meta.runtime);
  out << YAML::Key << "tables" << YAML::Value << YAML::BeginMap;
  for (const auto& [name, table] : meta.tables) emit_table(out, name, table);
  out << YAML::EndMap;
  if (meta.format_revision) {
    out << YAML::Key << "perfatlas" << YAML::Value << YAML::BeginMap;
    out << YAML::Key << "format_revision" << YAML::Value << *meta.format_revision;
    out << YAML::Key << "collections" << YAML::Value << YAML::BeginSeq;
    for (const LiveRuntime& live : meta.collections) emit_collection(out, live);
    out << YAML::EndSeq << YAML::EndMap;
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + '\n';
}

std::optional<CollectionMeta> read_collection_meta(const std::string& folder) {
  const std::string path = folder + '/' + kCollectionMetaFile;
  if (!file_exists(path)) return std::nullopt;
  return parse_collection_meta(read_file(path), path);
}

CollectionMeta parse_collection_meta(const std::string& text, const std::string& path) {
  try {
    return parse_meta(text, path);
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("{}:{}: not readable as YAML ({}); mend the file or place its tables again", path,
                            error.mark.line + 1, error.msg));
  }
}

void write_collection_meta(const CollectionMeta& meta, const std::string& folder) {
  replace_file(folder + '/' + kCollectionMetaFile, collection_meta_yaml(meta));
}

}  // namespace perfatlas
