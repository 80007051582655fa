// SPDX-License-Identifier: Apache-2.0
// perfatlas: measure the kernels of LLM inference, keep the tables, answer from them.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/status_verb.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/cli/version.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

constexpr const char* kFooter =
    "Typical session:\n"
    "  perfatlas probe                                        what is this machine, and how fast at best\n"
    "  perfatlas plan --model Qwen3-0.6B                      which cases would be measured\n"
    "  perfatlas collect --model Qwen3-0.6B --out run --budget 60s\n"
    "  perfatlas validate run && perfatlas place run --into tables\n"
    "  perfatlas query gemm --data tables --m 8 --n 4096 --k 1024\n"
    "  perfatlas report run\n"
    "Exit codes: 0 done, 1 failed or incomplete, 2 wrong usage. Documentation: docs/.";

void build(CLI::App& app, Invocation& invocation) {
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.footer(kFooter);
  for (const auto add :
       {add_probe,  add_ops,       add_plan,   add_collect, add_status,   add_bench,   add_step,
        add_check,  add_validate,  add_place,  add_query,   add_loo,      add_import,  add_tables,
        add_diff,   add_export,    add_report, add_model,   add_estimate, add_support, add_accuracy,
        add_search, add_recommend, add_verify, add_align,   add_simulate,
#ifdef PERFATLAS_WITH_HTTP
        add_load,   add_serve,
#endif
        add_docs})
    add(app, invocation);
}

/// Throws UsageError when the first word is neither a verb nor an option; CLI11 would only say that one is missing.
void require_verb(const CLI::App& app, const std::string& word) {
  if (word.starts_with("-")) return;
  std::vector<std::string> names;
  for (const CLI::App* verb :
       app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); }))
    names.push_back(verb->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  if (word == "docs" || std::find(names.begin(), names.end(), word) != names.end()) return;
  if (word.empty()) throw UsageError("say what to do: " + join_words(known) + "; see perfatlas --help");
  const std::string_view guess = nearest_word(word, known);
  throw UsageError(fmt::format("there is no verb '{}'{}; see perfatlas --help", word,
                               guess.empty() ? "" : fmt::format(" (did you mean {}?)", guess)));
}

/// One line on standard error; the remedy is in the text.
int complain(const std::string& what, int code) {
  fmt::print(stderr, "perfatlas: {}\n", what);
  return code;
}

int run(int argc, char** argv) {
  Invocation invocation{
      .ops = all_ops(), .requested_verb = argc > 1 ? argv[1] : "", .command_line = "perfatlas", .action = {}};
  for (int i = 1; i < argc; ++i) invocation.command_line += std::string(" ") + argv[i];
  CLI::App app("Measures the kernels of LLM inference and answers how long an op takes.", "perfatlas");
  build(app, invocation);
  try {
    require_verb(app, invocation.requested_verb);
    app.parse(argc, argv);
    return invocation.action ? invocation.action() : kDone;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return complain(
        fmt::format("{}; see perfatlas {}--help", error.what(),
                    app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name() + " "),
        kUsage);
  } catch (const UsageError& error) {
    return complain(error.what(), kUsage);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error, not a death
  return perfatlas::run(argc, argv);
}
