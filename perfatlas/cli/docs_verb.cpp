// SPDX-License-Identifier: Apache-2.0
// perfatlas docs: writes docs/ops.md, docs/cli.md, data/schema.lock and python/perfatlas/ops.pyi from the declarations;
// hidden from --help.
#include <fmt/format.h>

#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/op_text.h"
#include "perfatlas/cli/python_stub.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/store/schema_lock.h"

namespace perfatlas {
namespace {

std::string ops_document(const OpRegistry& ops) {
  std::string text =
      "# Ops\n\nMade by `make docs` from the declarations in `perfatlas/ops/`; CI fails when it is stale.\n\n"
      "Roles: `exact` fields must match a measured value; `axis` fields are interpolated; `recorded` fields "
      "are kept "
      "with the row and not looked at by queries.\n\n";
  for (const auto& op : ops.ops()) text += op_markdown(*op);
  return text;
}

/// Help texts, without the version and with trailing blanks removed, so that the document is stable.
std::string help_section(const CLI::App& app, const std::string& title) {
  std::string text = fmt::format("## {}\n\n```\n", title);
  const std::string help = app.help(title, CLI::AppFormatMode::Normal);
  for (const std::string_view line : split(help, '\n')) {
    const size_t end = line.find_last_not_of(" \r");
    text += fmt::format("{}\n", end == line.npos ? "" : line.substr(0, end + 1));
  }
  while (text.size() > 2 && text.ends_with("\n\n")) text.pop_back();
  return text + "```\n\n";
}

std::string cli_document(CLI::App& app) {
  std::string text =
      "# Command line\n\nMade by `make docs` from the program itself; CI fails when it is stale.\n\n";
  text += help_section(app, "perfatlas");
  for (const CLI::App* verb :
       app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); }))
    text += help_section(*verb, "perfatlas " + verb->get_name());
  return text;
}

void update_lock(const OpRegistry& ops, const std::string& path, bool check,
                 std::vector<std::string>& stale) {
  const std::string old = std::filesystem::exists(path) ? read_file(path) : "";
  const SchemaLockProblems problems = compare_schema_lock(ops, old);
  if (!problems.breaking.empty() && !old.empty())
    throw Error(fmt::format("{}: {}; raise the op's revision", path, problems.breaking.front()));
  const std::string text = schema_lock_text(ops);
  if (text == old) return;
  if (check)
    stale.push_back(path);
  else
    replace_file(path, text);
}

int run_docs(CLI::App& app, const OpRegistry& ops, const std::string& root, bool check) {
  std::vector<std::string> stale;
  const auto put = [&](const std::string& path, const std::string& text) {
    if (std::filesystem::exists(path) && read_file(path) == text) return;
    if (check)
      stale.push_back(path);
    else
      replace_file(path, text);
  };
  put(root + "/docs/ops.md", ops_document(ops));
  put(root + "/docs/cli.md", cli_document(app));
  put(root + "/python/perfatlas/ops.pyi", python_stub(ops));
  update_lock(ops, root + "/data/schema.lock", check, stale);
  for (const std::string& path : stale) fmt::print(stderr, "perfatlas: {} is stale; run make docs\n", path);
  return stale.empty() ? kDone : kFailed;
}

}  // namespace

void add_docs(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("docs", "Write the generated documents of a source tree")->group("");
  const auto root = std::make_shared<std::string>(".");
  const auto check = std::make_shared<bool>(false);
  verb->add_option("--root", *root, "Source tree")->capture_default_str();
  verb->add_flag("--check", *check, "Change nothing; exit 1 when something is stale");
  verb->callback([&app, &invocation, root, check] {
    invocation.action = [&app, &invocation, root, check] {
      return run_docs(app, invocation.ops, *root, *check);
    };
  });
}

}  // namespace perfatlas
