// SPDX-License-Identifier: Apache-2.0
// What the verbs of the command line share. Each verb is one file with one add_<verb> function.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// Exit codes of every verb: docs/formats.md.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// State of one invocation. Verbs store what to run in `action`; main runs it after parsing, so that a usage error
/// anywhere is found before anything happens.
struct Invocation {
  OpRegistry ops;
  std::string requested_verb;   // argv[1], to build the per-op options of one verb only
  std::string requested_op;     // argv[2], the same for the options of one op; may be no op
  std::string command_line;     // what was typed, for journals
  std::function<int()> action;  // returns the exit code
};

void add_probe(CLI::App& app, Invocation& invocation);
void add_ops(CLI::App& app, Invocation& invocation);
void add_plan(CLI::App& app, Invocation& invocation);
void add_collect(CLI::App& app, Invocation& invocation);
void add_bench(CLI::App& app, Invocation& invocation);
void add_step(CLI::App& app, Invocation& invocation);
void add_check(CLI::App& app, Invocation& invocation);
void add_validate(CLI::App& app, Invocation& invocation);
void add_place(CLI::App& app, Invocation& invocation);
void add_query(CLI::App& app, Invocation& invocation);
void add_loo(CLI::App& app, Invocation& invocation);
void add_import(CLI::App& app, Invocation& invocation);
void add_tables(CLI::App& app, Invocation& invocation);
void add_diff(CLI::App& app, Invocation& invocation);
void add_export(CLI::App& app, Invocation& invocation);
void add_report(CLI::App& app, Invocation& invocation);
void add_estimate(CLI::App& app, Invocation& invocation);
void add_support(CLI::App& app, Invocation& invocation);
void add_accuracy(CLI::App& app, Invocation& invocation);
void add_model(CLI::App& app, Invocation& invocation);
void add_search(CLI::App& app, Invocation& invocation);
void add_recommend(CLI::App& app, Invocation& invocation);
void add_verify(CLI::App& app, Invocation& invocation);
void add_align(CLI::App& app, Invocation& invocation);
void add_simulate(CLI::App& app, Invocation& invocation);
void add_load(CLI::App& app, Invocation& invocation);
void add_serve(CLI::App& app, Invocation& invocation);
void add_docs(CLI::App& app, Invocation& invocation);

}  // namespace perfatlas
