// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/schema/registry.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {

void OpRegistry::add(OpType type) {
  PERFATLAS_ASSERT(find(type.info.id) == nullptr);
  ops_.push_back(std::make_unique<const OpType>(std::move(type)));
}

const OpType* OpRegistry::find(std::string_view id) const {
  for (const auto& op : ops_)
    if (op->info.id == id) return op.get();
  return nullptr;
}

const OpType& OpRegistry::get(std::string_view id) const {
  if (const OpType* op = find(id)) return *op;
  std::vector<std::string_view> ids;
  for (const auto& op : ops_) ids.push_back(op->info.id);
  const std::string_view guess = nearest_word(id, ids);
  throw UsageError(fmt::format("there is no op '{}'{}; known ops: {}", id,
                               guess.empty() ? "" : fmt::format(" (did you mean {}?)", guess),
                               join_words(ids)));
}

Case OpRegistry::parse_case(std::string_view text) const {
  const size_t space = text.find(' ');
  const std::string_view id = text.substr(0, space);
  return parse_fields(get(id), space == text.npos ? "" : text.substr(space + 1));
}

}  // namespace perfatlas
