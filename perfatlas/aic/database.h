// SPDX-License-Identifier: Apache-2.0
// The tables of one (system, back end, version), read when first asked for.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <typeindex>

#include "perfatlas/aic/engine.h"
#include "perfatlas/aic/quant_mode.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas::aic {

/// Thread-safe; answers live as long as the database.
class Database {
 public:
  /// REQUIRES: the root outlives the database; the system and version exist.
  Database(const SystemsRoot& root, std::string system, std::string backend, std::string version);

  const SystemsRoot& root() const { return root_; }
  const AicSystem& system() const { return system_; }
  const std::string& backend() const { return backend_; }
  const std::string& version() const { return version_; }

  const OpType& op(std::string_view id) const { return root_.ops().get(id); }
  /// REQUIRES: the registry of the root declares the op.
  std::shared_ptr<const TableRows> rows(std::string_view op_id, SharedLayer shared) const;
  /// "gemm (h200_sxm, vllm 0.24.0)", for messages.
  std::string table_name(std::string_view op_id) const;

  /// The one T(database, shared layer), made when first asked for. When making it throws, the next call tries again.
  template <class T>
  const T& family(SharedLayer shared) const {
    Slot& slot = slot_of(std::type_index(typeid(T)), shared);
    std::call_once(slot.once, [&] { slot.value = std::make_shared<const T>(*this, shared); });
    return *static_cast<const T*>(slot.value.get());
  }

 private:
  struct Slot {
    std::once_flag once;
    std::shared_ptr<const void> value;
  };
  Slot& slot_of(std::type_index type, SharedLayer shared) const;

  const SystemsRoot& root_;
  const AicSystem& system_;
  std::string backend_, version_;
  mutable std::shared_mutex mutex_;
  mutable std::map<std::pair<std::type_index, SharedLayer>, Slot> families_;
};

/// What an op is bound to.
struct Binding {
  const Database& database;
  Mode mode = Mode::silicon;
  TransferPolicy transfers;
  SharedLayer shared = SharedLayer::on;

  const AicSystem& system() const { return database.system(); }
  template <class T>
  const T& family() const {
    return database.family<T>(shared);
  }
};

/// Values made once per key. Thread-safe.
template <class Key, class Value, class Hash = std::hash<Key>>
class Memo {
 public:
  /// The value of a key; `make()` gives it when nobody has asked before.
  template <class Make>
  std::shared_ptr<const Value> get(const Key& key, Make make) const {
    {
      const std::shared_lock lock(mutex_);
      const auto at = values_.find(key);
      if (at != values_.end()) return at->second;
    }
    std::shared_ptr<const Value> value = make();
    const std::unique_lock lock(mutex_);
    return values_.try_emplace(key, std::move(value)).first->second;
  }

 private:
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<Key, std::shared_ptr<const Value>, Hash> values_;
};

}  // namespace perfatlas::aic
