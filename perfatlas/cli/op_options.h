// SPDX-License-Identifier: Apache-2.0
// Command-line options of an op, derived from its declaration.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/cli/verb.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// The value of each field as text; only fields the user gave are present.
struct OpArguments {
  const OpType* op = nullptr;
  std::vector<std::pair<std::string, std::string>> given;  // column, text

  /// The case, other fields at their defaults. Throws UsageError for malformed values and senseless cases.
  Case to_case() const;
};

/// Makes `verb` take one subcommand per op, each with an option per field ("--dtype", also "--gemm_dtype") whose help
/// comes from the declaration. Only done when `verb` is the requested one, and where the command line names an op next,
/// for that op alone. `more` adds the verb's own options to a
/// subcommand; `run` is called with the parsed arguments. An unknown op is a UsageError that lists the ops.
struct PerOpVerb {
  CLI::App* verb = nullptr;
  std::function<void(CLI::App&)> more;
  std::function<int(const OpArguments&)> run;
  std::function<bool()> without_op = {};  // takes over when no op was given; says whether it did
};
void add_op_subcommands(Invocation& invocation, const PerOpVerb& verb);

}  // namespace perfatlas
