// SPDX-License-Identifier: Apache-2.0
// Interned text for fields whose values come from data: distributions, architectures, sub-kernels.
#pragma once

#include <cstdint>
#include <string_view>

namespace perfatlas {

/// A text that is stored once per process and compared as a number. Copying costs nothing. The id is stable within
/// a process only; files always carry the text. Thread-safe.
class Symbol {
 public:
  Symbol() = default;  // the empty text
  explicit Symbol(std::string_view text);

  /// REQUIRES: `id` came from id() of a Symbol in this process.
  static Symbol from_id(int64_t id);

  int64_t id() const { return id_; }
  std::string_view text() const;
  bool operator==(const Symbol&) const = default;

 private:
  int64_t id_ = 0;
};

}  // namespace perfatlas
