// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "perfatlas/base/file.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/tables/table_cache_format_impl.h"

namespace perfatlas {
namespace {

/// A whole file in memory, read-only. Empty when there is none.
SharedBytes map_file(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || status.st_size <= 0) return {};
  const auto bytes = size_t(status.st_size);
  void* const data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
  if (data == MAP_FAILED) return {};
  return {data, bytes, std::shared_ptr<const void>(data, [bytes](void* p) { ::munmap(p, bytes); })};
}

TableCacheKey key_of(const OpType& op, const FileEntry& file) {
  return {file.bytes, file.stamp, declaration_hash(op)};
}

TableCacheKey text_key(std::string_view what, const FileEntry& file) {
  return {file.bytes, file.stamp, hash64(what)};
}

}  // namespace

std::string default_table_cache() {
  const auto environment = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return cache + "/perfatlas/tables";
  if (const std::string home = environment("HOME"); !home.empty()) return home + "/.cache/perfatlas/tables";
  return {};
}

TableCache::TableCache(std::string folder, const FileTree& tree)
    : folder_(std::move(folder)), identity_(tree.identity()) {}

std::string TableCache::path_of(std::string_view what, const FileEntry& file) const {
  const Hash128 name = hash128(fmt::format("{}\n{}\n{}", identity_, file.path, what));
  return fmt::format("{}/{}{}.table", folder_, hex16(name.high), hex16(name.low));
}

std::optional<FileTable> TableCache::load(const OpType& op, const FileEntry& file) const {
  if (!enabled()) return std::nullopt;
  return decode_table(op, map_file(path_of(op.info.id, file)), key_of(op, file));
}

bool TableCache::store(const FileTable& table, const FileEntry& file) const {
  if (!enabled()) return false;
  return write(path_of(table.op().info.id, file), encode_table(table, key_of(table.op(), file)));
}

std::optional<std::string> TableCache::load_text(std::string_view what, const FileEntry& file) const {
  if (!enabled()) return std::nullopt;
  const SharedBytes bytes = map_file(path_of(what, file));
  const auto text = decode_kept(bytes, text_key(what, file));
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

bool TableCache::store_text(std::string_view what, const FileEntry& file, std::string_view text) const {
  if (!enabled()) return false;
  return write(path_of(what, file), encode_kept(text, text_key(what, file)));
}

bool TableCache::write(const std::string& path, std::string_view bytes) const {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return false;
  const std::string temporary = fmt::format("{}.{}", path, ::getpid());
  // Not flushed to the device: after a power cut the checksum tells, and the table is decoded again.
  {
    std::ofstream out(temporary, std::ios::binary);
    out << bytes;
    if (!out.flush()) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) std::filesystem::rename(temporary, path, error);
  if (!error) return true;
  std::filesystem::remove(temporary, error);
  return false;
}

}  // namespace perfatlas
