// SPDX-License-Identifier: Apache-2.0
// The bytes of a kept table. Little-endian machines of one kind write and read them: this is no exchange format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "perfatlas/tables/file_table.h"

namespace perfatlas {

/// Changes with everything in a declaration that decides what a table holds.
uint64_t declaration_hash(const OpType& op);

std::string encode_table(const FileTable& table);

/// The table in `bytes`, whose columns point into them. Nothing when they are not those of a table of this op.
std::optional<FileTable> decode_table(const OpType& op, const SharedBytes& bytes);

}  // namespace perfatlas
