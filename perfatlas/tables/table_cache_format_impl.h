// SPDX-License-Identifier: Apache-2.0
// The bytes of a kept table. Little-endian machines of one kind write and read them: this is no exchange format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/tables/file_table.h"

namespace perfatlas {

/// What the bytes were made from.
struct TableCacheKey {
  uint64_t bytes = 0, stamp = 0;  // of the file
  uint64_t declaration = 0;       // of a table: declaration_hash of the op
};

/// `payload` behind a head that says what it was made from and checks it.
std::string encode_kept(std::string_view payload, const TableCacheKey& key);

/// The payload in `bytes`. Nothing when they are damaged or were made from something else.
std::optional<std::string_view> decode_kept(const SharedBytes& bytes, const TableCacheKey& key);

/// Changes with everything in a declaration that decides what a table holds, and with the program's rules.
uint64_t declaration_hash(const OpType& op);

std::string encode_table(const FileTable& table, const TableCacheKey& key);

/// The table in `bytes`, whose columns point into them. Nothing when they are damaged or were made from something else.
std::optional<FileTable> decode_table(const OpType& op, const SharedBytes& bytes, const TableCacheKey& key);

}  // namespace perfatlas
