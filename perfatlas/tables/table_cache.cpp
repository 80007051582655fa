// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_cache.h"

#include <fmt/format.h>

#include "perfatlas/base/hash.h"
#include "perfatlas/tables/table_cache_format_impl.h"

namespace perfatlas {
namespace {

KeptKey key_of(const OpType& op, const FileEntry& file) {
  return {{file.bytes, file.stamp}, declaration_hash(op)};
}

/// What a merge is of, apart from the state of the files.
std::string merge_text(const OpType& op, std::span<const TableSource> sources) {
  std::string text = fmt::format("merged rows of {}\n", op.info.id);
  for (const TableSource& s : sources)
    text += fmt::format("{} {} {} {}\n", int(s.channel), s.path, s.table, fmt::join(s.kernels, "\t"));
  return text;
}

std::string states_text(std::span<const FileEntry> files) {
  std::string text;
  for (const FileEntry& file : files) text += fmt::format("{} {}\n", file.bytes, file.stamp);
  return text;
}

KeptKey merge_key(const OpType& op, std::span<const FileEntry> files) {
  return {hash128(states_text(files)), declaration_hash(op)};
}

KeptKey bytes_key(std::string_view what, const FileEntry& file) {
  return {{file.bytes, file.stamp}, hash64(what)};
}

}  // namespace

TableCache::TableCache(std::string folder, const FileTree& tree)
    : kept_(std::move(folder)), identity_(tree.identity()) {}

std::string TableCache::name_of(std::string_view what, const FileEntry& file) const {
  return fmt::format("{}\n{}\n{}", identity_, file.path, what);
}

std::optional<FileTable> TableCache::load(const OpType& op, const FileEntry& file) const {
  const auto bytes = kept_.load(name_of(op.info.id, file), key_of(op, file));
  return bytes ? decode_table(op, *bytes) : std::nullopt;
}

bool TableCache::store(const FileTable& table, const FileEntry& file) const {
  if (!kept_.enabled()) return false;
  return kept_.store(name_of(table.op().info.id, file), key_of(table.op(), file), encode_table(table));
}

Hash128 TableCache::origin_of(const OpType& op, std::span<const TableSource> sources,
                              std::span<const FileEntry> files, const FileEntry& description) const {
  return hash128(fmt::format("{} {}\n{}{}{} {} {}", declaration_hash(op), identity_, merge_text(op, sources),
                             states_text(files), description.path, description.bytes, description.stamp));
}

std::optional<SharedBytes> TableCache::load_merge(const OpType& op, std::span<const TableSource> sources,
                                                  std::span<const FileEntry> files) const {
  return kept_.load(fmt::format("{}\n{}", identity_, merge_text(op, sources)), merge_key(op, files));
}

bool TableCache::store_merge(const TableRows& rows, std::span<const FileEntry> files) const {
  if (!kept_.enabled()) return false;
  std::vector<TableSource> sources;
  for (const RowSource& source : rows.sources()) sources.push_back(source.source);
  return kept_.store(fmt::format("{}\n{}", identity_, merge_text(rows.op(), sources)),
                     merge_key(rows.op(), files), rows.merged_bytes());
}

std::optional<SharedBytes> TableCache::load_bytes(std::string_view what, const FileEntry& file) const {
  return kept_.load(name_of(what, file), bytes_key(what, file));
}

bool TableCache::store_bytes(std::string_view what, const FileEntry& file, const SharedBytes& bytes) const {
  return kept_.store(name_of(what, file), bytes_key(what, file),
                     {static_cast<const char*>(bytes.data), bytes.bytes});
}

}  // namespace perfatlas
