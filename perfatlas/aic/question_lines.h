// SPDX-License-Identifier: Apache-2.0
// Questions one a line, for programs that ask many: JSON in, JSON out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "perfatlas/aic/engine.h"
#include "perfatlas/aic/json_members.h"

namespace perfatlas::aic {

/// What a question that does not say so is about.
struct QuestionDefaults {
  std::string system, backend, version;
  Mode mode = Mode::silicon;
  TransferPolicy transfers;
};

/// A question is an object: op and its fields (in ctor, or beside op), the phase point (is_context, batch_size, s,
/// prefix, x), and system, backend, version, mode, transfers, shared_layer where they differ from the defaults. The
/// answer is one object: what was asked under id, latency_ms, energy_mj, source, provenance (where it is an estimate),
/// in mode SOL_FULL math_ms and memory_ms, where the question has "rows": true the rows behind it; or error with kind
/// and message. docs/formats.md.
///
/// Questions that differ from an earlier one in id and phase point alone are answered without making JSON values.
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
  struct Known {
    const BoundOp* op;
    Mode mode;
  };
  Asked asked_in(const nlohmann::json& question) const;
  /// Splits a line into members_, id_ and asked_text_; false when that cannot be done plainly.
  bool read_known(std::string_view line);
  /// Answers the line that was split when all but its id and point was asked before; else false and nothing is written.
  bool answer_known(std::string& out) const;
  const Engine& engine(const Asked& asked);
  const BoundOp& bound(const Asked& asked);

  const SystemsRoot& root_;
  QuestionDefaults defaults_;
  std::map<std::string, Engine, std::less<>> engines_;
  std::unordered_map<std::string, BoundOp> bound_;
  std::unordered_map<std::string, Known> known_;  // by the text of all members but id and point
  std::vector<JsonMember> members_;
  std::string asked_text_;
  std::string_view id_;
};

}  // namespace perfatlas::aic
