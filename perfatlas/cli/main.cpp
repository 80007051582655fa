// SPDX-License-Identifier: Apache-2.0
// perfatlas: measure the kernels of LLM inference, keep the tables, answer from them.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "perfatlas/base/command.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/option_problem.h"
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

struct Verb {
  std::string_view name;
  void (*add)(CLI::App& app, Invocation& invocation);
};
constexpr Verb kVerbs[] = {{"probe", add_probe},
                           {"ops", add_ops},
                           {"plan", add_plan},
                           {"collect", add_collect},
                           {"status", add_status},
                           {"bench", add_bench},
                           {"step", add_step},
                           {"check", add_check},
                           {"validate", add_validate},
                           {"place", add_place},
                           {"query", add_query},
                           {"loo", add_loo},
                           {"import", add_import},
                           {"tables", add_tables},
                           {"diff", add_diff},
                           {"export", add_export},
                           {"report", add_report},
                           {"model", add_model},
                           {"estimate", add_estimate},
                           {"support", add_support},
                           {"accuracy", add_accuracy},
                           {"search", add_search},
                           {"recommend", add_recommend},
                           {"verify", add_verify},
                           {"align", add_align},
                           {"simulate", add_simulate},
                           {"load", add_load},
                           {"serve", add_serve},
                           {"docs", add_docs}};

/// The requested verb alone where it is one of the list: the options of all verbs take longer than many answers.
void build(CLI::App& app, Invocation& invocation) {
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.footer(kFooter);
  const auto requested = std::find_if(std::begin(kVerbs), std::end(kVerbs), [&](const Verb& verb) {
    return verb.name == invocation.requested_verb && verb.name != "docs";  // describes them all
  });
  if (requested != std::end(kVerbs)) return requested->add(app, invocation);
  for (const Verb& verb : kVerbs) {
    verb.add(app, invocation);
    (void)app.get_subcommand(std::string(verb.name));  // throws when the list calls it otherwise
  }
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

/// Standard streams that the caller closed become the null device: else the first files opened would take their place,
/// and what is said to the user would be written into a journal.
void keep_standard_streams_open() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF)
      (void)::open("/dev/null", O_RDWR);  // takes the lowest free number
}

/// One line on standard error; the remedy is in the text. Where nobody reads it, the exit code is what is left.
int complain(const std::string& what, int code) {
  (void)std::fputs(fmt::format("perfatlas: {}\n", what).c_str(), stderr);
  return code;
}

int run(int argc, char** argv) {
  Invocation invocation{.ops = all_ops(),
                        .requested_verb = argc > 1 ? argv[1] : "",
                        .requested_op = argc > 2 ? argv[2] : "",
                        .command_line = "perfatlas",
                        .action = {}};
  for (int i = 1; i < argc; ++i) invocation.command_line += fmt::format(" {}", shell_quoted(argv[i]));
  CLI::App app("Measures the kernels of LLM inference and answers how long an op takes.", "perfatlas");
  build(app, invocation);
  check_values(app);
  try {
    require_verb(app, invocation.requested_verb);
    app.parse(argc, argv);
    return invocation.action ? invocation.action() : kDone;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return complain(
        fmt::format("{}; see perfatlas {}--help", option_problem(app, error),
                    app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name() + " "),
        kUsage);
  } catch (const UsageError& error) {
    return complain(error.what(), kUsage);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}

/// `code`, or kFailed when what was printed did not arrive.
int delivered(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  if (code != kDone) return code;      // that has been said
  if (errno == EPIPE) return kFailed;  // whoever read has seen enough
  return complain(io_error_text("write", "standard output", errno != 0 ? errno : EIO), kFailed);
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error, not a death
  perfatlas::keep_standard_streams_open();
  return perfatlas::delivered(perfatlas::run(argc, argv));
}
