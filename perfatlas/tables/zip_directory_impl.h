// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/tables/packed_column.h"
#include "perfatlas/tables/zip_file_impl.h"

namespace perfatlas {

struct ZipMember {
  std::string_view path;
  uint64_t bytes = 0;  // unpacked
  uint64_t checksum = 0;
  unz64_file_pos position{};
};

/// What files a zip file has, sorted by path, in one piece of bytes: it is kept and mapped as it is.
class ZipDirectory {
 public:
  /// Reads it from a zip file. Throws Error as open_zip (file_tree.h).
  static ZipDirectory read(const std::string& path);
  /// Of bytes(). Nothing when they are no directory.
  static std::optional<ZipDirectory> of_bytes(SharedBytes bytes);

  const SharedBytes& bytes() const { return bytes_; }
  size_t size() const { return count_; }
  ZipMember operator[](size_t number) const;
  /// The number of the first member whose path is not below `path`; size() when all are.
  size_t lower_bound(std::string_view path) const;

 private:
  struct Record {
    uint64_t name_begin, name_bytes, bytes, checksum, directory_offset, directory_number;
  };
  explicit ZipDirectory(SharedBytes bytes, size_t count) : bytes_(std::move(bytes)), count_(count) {}
  Record record(size_t number) const;

  SharedBytes bytes_;  // the number of members, their records, their paths
  size_t count_;
};

}  // namespace perfatlas
