// SPDX-License-Identifier: Apache-2.0
// perfatlas import SOURCE: a published performance database becomes a folder of one's own, checked and indexed.
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "perfatlas/base/embedded_file.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/tables/contradictions.h"
#include "perfatlas/tables/data_check.h"
#include "perfatlas/tables/import.h"

namespace perfatlas {

/// The licence of this program, which is that of the published data, too.
std::span<const EmbeddedFile> embedded_licence();

namespace {

struct ImportArguments {
  std::string source, into;
  std::vector<std::string> systems;
  bool in_place = false;
  bool json = false;
};

/// "copying 120/1300": one line, redrawn, where someone can see it.
IndexProgress progress_on_terminal(const char* what) {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [what](size_t done, size_t all) {
    fmt::print(stderr, "\r{} {}/{}{}", what, done, all, done == all ? "\n" : "");
  };
}

std::vector<TableProblem> contradictions_of(const RootSource& root, const std::vector<std::string>& systems) {
  std::vector<TableProblem> all;
  for (const std::string& system : systems)
    for (TableProblem& found : contradictions(root, system)) all.push_back(std::move(found));
  return all;
}

std::vector<TableProblem> problems_of(const RootSource& root, const std::vector<std::string>& systems) {
  std::vector<TableProblem> problems = root.index(systems, progress_on_terminal("indexing"));
  for (const std::string& system : systems)
    for (TableProblem& problem : check_system(root, system)) problems.push_back(std::move(problem));
  return problems;
}

/// What is said of the imported tables.
struct ImportRemarks {
  std::vector<TableProblem> problems;        // files that cannot be used, or not as they are
  std::vector<TableProblem> contradictions;  // can be used; a case has two latencies
};

nlohmann::json remarks_json(const std::vector<TableProblem>& remarks) {
  auto list = nlohmann::json::array();
  for (const TableProblem& remark : remarks)
    list.push_back({{"file", remark.path}, {"reason", remark.reason}});
  return list;
}

void print_json(const ImportReport& report, const std::string& folder, const ImportRemarks& remarks) {
  fmt::print("{}\n", nlohmann::json{{"folder", folder},
                                    {"systems", report.systems},
                                    {"files", report.files},
                                    {"copied", report.copied},
                                    {"bytes", report.bytes},
                                    {"attribution", report.attribution},
                                    {"problems", remarks_json(remarks.problems)},
                                    {"contradictions", remarks_json(remarks.contradictions)}}
                         .dump(2));
}

int run_import(const ImportArguments& a, const OpRegistry& ops) {
  const std::string folder = a.in_place ? a.source : a.into.empty() ? published_folder() : a.into;
  ImportReport report;
  {
    const RootSource source(a.source, ops);
    report.systems = a.systems.empty() ? source.systems() : a.systems;
    if (!a.in_place)
      report = import_systems(
          source, {.systems = a.systems, .into = folder, .licence = std::string(embedded_licence()[0].text)},
          progress_on_terminal("copying"));
  }
  const RootSource imported(folder, ops);
  const ImportRemarks remarks{problems_of(imported, report.systems),
                              contradictions_of(imported, report.systems)};
  const std::vector<TableProblem>& problems = remarks.problems;
  if (a.json) {
    print_json(report, folder, remarks);
  } else {
    const std::vector<std::string_view> names(report.systems.begin(), report.systems.end());
    if (!a.in_place)
      fmt::print("{}: {} files ({:.1f} MB), {} of them new\n", folder, report.files,
                 double(report.bytes) / 1e6, report.copied);
    fmt::print("{}: {}\n", names.size() == 1 ? "system" : "systems", join_words(names));
    if (!report.attribution.empty()) fmt::print("data of {}, licence Apache-2.0\n", report.attribution);
    for (const TableProblem& found : remarks.contradictions)
      fmt::print(stderr, "perfatlas: note: {}\n", found.reason);
    for (const TableProblem& problem : problems) fmt::print(stderr, "perfatlas: {}\n", problem.reason);
    if (!problems.empty())
      fmt::print(stderr, "perfatlas: {} problem{}; everything else can be used\n", problems.size(),
                 problems.size() == 1 ? "" : "s");
  }
  return problems.empty() ? kDone : kFailed;
}

}  // namespace

void add_import(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("import", "Take over a published performance database");
  const auto a = std::make_shared<ImportArguments>();
  verb->add_option("source", a->source, "A wheel (aiconfigurator_core-*.whl) or a systems folder")
      ->required();
  verb->add_option("--system", a->systems, "Only these systems; may be given several times");
  verb->add_option("--into", a->into, "Folder; default: published/ in the data folder, where queries look");
  verb->add_flag("--in-place", a->in_place, "Copy nothing: check the source and index it where it lies");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  pip download --no-deps aiconfigurator-core==0.12.0\n"
      "  perfatlas import aiconfigurator_core-0.12.0-*.whl\n"
      "  perfatlas import aiconfigurator_core-0.12.0-*.whl --system h200_sxm --system gb200 --into "
      "published\n"
      "  perfatlas import /opt/systems --in-place\n"
      "Every table is read once; what is wrong is named with file and reason, and the rest can be used.\n"
      "Of a case that a table has twice, with two latencies, a note says which counts.\n"
      "Exit code 1 when something is wrong. An interrupted import goes on when it is run again.");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_import(*a, invocation.ops); }; });
}

}  // namespace perfatlas
