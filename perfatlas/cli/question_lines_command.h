// SPDX-License-Identifier: Apache-2.0
// perfatlas query --jsonl: questions on standard input, answers on standard output.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct QuestionLinesArguments {
  bool jsonl = false;
  std::string systems_path, system, backend, version, mode = "SILICON", transfers = "default";
  bool allow_unlisted_versions = false;
};

/// Options of the verb itself, which stand before any op.
std::shared_ptr<QuestionLinesArguments> add_question_lines_options(CLI::App& verb);

/// Answers until the end of input; kDone, also when answers were errors. Throws UsageError.
int run_question_lines(const QuestionLinesArguments& arguments, const OpRegistry& ops);

}  // namespace perfatlas
