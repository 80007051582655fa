// SPDX-License-Identifier: Apache-2.0
// Questions one a line, for programs that ask many: JSON in, JSON out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "perfatlas/aic/engine.h"

namespace perfatlas::aic {

/// What a question that does not say so is about.
struct QuestionDefaults {
  std::string system, backend, version;
  Mode mode = Mode::silicon;
  TransferPolicy transfers;
};

/// A question is an object: op and its fields (in ctor, or beside op), the phase point (is_context, batch_size, s,
/// prefix, x), and system, backend, version, mode, transfers, shared_layer where they differ from the defaults. The answer
/// is one object: what was asked under id, latency_ms, energy_mj, source, provenance (where it is an estimate), in mode
/// SOL_FULL math_ms and memory_ms; or error with kind and message. docs/formats.md.
///
/// Not for several threads at once; several of them on one root are fine.
class QuestionLines {
 public:
  /// REQUIRES: the root outlives this.
  QuestionLines(const SystemsRoot& root, QuestionDefaults defaults);

  /// Appends the answer and a newline. Never throws for what a line says: that is an answer with an error.
  void answer(std::string_view line, std::string& out);

 private:
  struct Asked;
  const Engine& engine(const std::string& system, const std::string& backend, const std::string& version);
  const BoundOp& bound(const Asked& asked);

  const SystemsRoot& root_;
  QuestionDefaults defaults_;
  std::map<std::string, Engine, std::less<>> engines_;
  std::unordered_map<std::string, BoundOp> bound_;
};

}  // namespace perfatlas::aic
