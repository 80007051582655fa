// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/question_lines_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>

#include "perfatlas/aic/question_lines.h"
#include "perfatlas/base/error.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

constexpr size_t kOutputBlock = 1 << 16;

/// A question that does not come alone is answered with those that are there already.
bool more_is_waiting() { return std::cin.rdbuf()->in_avail() > 0; }

}  // namespace

std::shared_ptr<QuestionLinesArguments> add_question_lines_options(CLI::App& verb) {
  const auto a = std::make_shared<QuestionLinesArguments>();
  const char* const group = "Many questions at once";
  verb.add_flag("--jsonl", a->jsonl,
                "Answer the JSON objects on standard input, one a line (docs/formats.md)")
      ->group(group);
  add_systems_path_option(verb, a->systems_path,
                          "Published tables: a wheel of aiconfigurator-core, or a folder of systems")
      ->group(group);
  verb.add_option("--system", a->system, "Where a question names none")->group(group);
  verb.add_option("--backend", a->backend, "Where a question names none")->group(group);
  verb.add_option("--version", a->version, "Where a question names none; default: current")->group(group);
  verb.add_option("--mode", a->mode, "SILICON, HYBRID, EMPIRICAL, SOL or SOL_FULL [SILICON]")->group(group);
  verb.add_option(
          "--transfers", a->transfers,
          "What estimates may borrow from: off, conservative, balanced, aggressive, or a list of xshape, "
          "xquant, xprofile, xop [aggressive]")
      ->group(group);
  verb.add_flag("--allow-unlisted-versions", a->allow_unlisted_versions,
                "Versions that query_versions.yaml does not list")
      ->group(group);
  return a;
}

int run_question_lines(const QuestionLinesArguments& a, const OpRegistry& ops) {
  const auto mode = aic::mode_from_name(a.mode);
  if (!mode)
    throw UsageError(fmt::format("--mode '{}' is none of SILICON, HYBRID, EMPIRICAL, SOL, SOL_FULL", a.mode));
  const SystemsRoot root(systems_sources(a.systems_path), ops,
                         {.allow_unlisted_versions = a.allow_unlisted_versions});
  aic::QuestionLines lines(root, {.system = a.system,
                                  .backend = a.backend,
                                  .version = a.version,
                                  .mode = *mode,
                                  .transfers = aic::TransferPolicy::from_text(a.transfers)});
  std::ios::sync_with_stdio(false);
  std::string line, out;
  while (std::getline(std::cin, line)) {
    if (line.empty()) continue;
    lines.answer(line, out);
    if (out.size() < kOutputBlock && more_is_waiting()) continue;
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
    out.clear();
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kDone;
}

}  // namespace perfatlas
