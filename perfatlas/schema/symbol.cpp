// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/schema/symbol.h"

#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Append-only, so a text handed out stays valid for the life of the process.
struct Pool {
  std::shared_mutex mutex;
  std::deque<std::string> texts{""};
  std::unordered_map<std::string_view, int64_t> ids{{texts[0], 0}};
};

Pool& pool() {
  // Never destroyed: symbols may outlive static destructors. Append-only, so sharing it is harmless.
  static Pool* const instance = new Pool;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
  return *instance;
}

}  // namespace

Symbol::Symbol(std::string_view text) {
  Pool& p = pool();
  {
    const std::shared_lock lock(p.mutex);
    if (const auto found = p.ids.find(text); found != p.ids.end()) {
      id_ = found->second;
      return;
    }
  }
  const std::unique_lock lock(p.mutex);
  if (const auto found = p.ids.find(text); found != p.ids.end()) {
    id_ = found->second;
    return;
  }
  id_ = int64_t(p.texts.size());
  p.texts.emplace_back(text);
  p.ids.emplace(p.texts.back(), id_);
}

Symbol Symbol::from_id(int64_t id) {
  Symbol symbol;
  symbol.id_ = id;
  PERFATLAS_ASSERT(id >= 0 && !symbol.text().empty() == (id != 0));
  return symbol;
}

std::string_view Symbol::text() const {
  Pool& p = pool();
  const std::shared_lock lock(p.mutex);
  PERFATLAS_ASSERT(size_t(id_) < p.texts.size());
  return p.texts[size_t(id_)];
}

}  // namespace perfatlas
