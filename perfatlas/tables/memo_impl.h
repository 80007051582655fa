// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace perfatlas {

/// Values by name, made when first asked for and kept. Thread-safe: one thread makes a value, the others that want it
/// wait; a failed making is tried again by the next one.
template <class Value>
class Memo {
 public:
  template <class Make>
  std::shared_ptr<const Value> get(const std::string& name, const Make& make) {
    const std::shared_ptr<Slot> slot = slot_of(name);
    const std::lock_guard lock(slot->mutex);
    if (!slot->value) slot->value = std::make_shared<const Value>(make());
    return slot->value;
  }

 private:
  struct Slot {
    std::mutex mutex;
    std::shared_ptr<const Value> value;
  };
  std::shared_ptr<Slot> slot_of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Slot>& slot = slots_[name];
    if (!slot) slot = std::make_shared<Slot>();
    return slot;
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;
};

}  // namespace perfatlas
