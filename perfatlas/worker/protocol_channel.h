// SPDX-License-Identifier: Apache-2.0
// Lines in and out of a worker, kept apart from whatever libraries print.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace perfatlas {

struct ProtocolFds {
  int in = 0;
  int out = 1;
};

/// "3,4" -> {3, 4}. Throws UsageError on anything else.
ProtocolFds parse_protocol_fds(std::string_view text);

/// Owns its two file descriptors.
class ProtocolChannel {
 public:
  /// Takes over `fds`; both are closed on exec.
  explicit ProtocolChannel(ProtocolFds fds);
  ~ProtocolChannel();
  ProtocolChannel(const ProtocolChannel&) = delete;
  ProtocolChannel& operator=(const ProtocolChannel&) = delete;

  /// Standard input and a private copy of standard output. From then on everything printed to standard output goes
  /// to standard error, so that a library's chatter never becomes a protocol line.
  static ProtocolFds take_standard_streams();

  /// The next line without its newline; a last line without newline counts. Nothing at the end of input.
  /// Throws Error on a read error and on a line over 16 MiB.
  std::optional<std::string> read_line();

  /// Writes the whole line and a newline. Throws Error when the reader is gone. REQUIRES: no newline in `line`.
  void write_line(std::string_view line);

 private:
  ProtocolFds fds_;
  std::string buffer_;
  size_t searched_ = 0;  // bytes of buffer_ known to hold no newline
};

}  // namespace perfatlas
