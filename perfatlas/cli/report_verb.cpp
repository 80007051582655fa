// SPDX-License-Identifier: Apache-2.0
// perfatlas report DIR: one self-contained HTML file about a collection.
#include <fmt/format.h>

#include "perfatlas/base/file.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/report/report.h"

namespace perfatlas {
namespace {

struct ReportArguments {
  std::string folder;
  std::string out;
  bool json = false;
};

}  // namespace

void add_report(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("report", "Write report.html of a collection folder");
  const auto a = std::make_shared<ReportArguments>();
  verb->add_option("folder", a->folder, "Collection folder")->required();
  verb->add_option("--out", a->out, "File to write; default: FOLDER/report.html");
  verb->add_flag("--json", a->json, "Print the report's data instead of writing the page");
  verb->footer("Example: perfatlas report run");
  verb->callback([&invocation, a] {
    invocation.action = [&invocation, a] {
      const ReportData data = gather_report(a->folder, invocation.ops);
      if (a->json) {
        fmt::print("{}\n", report_json(data));
        return kDone;
      }
      const std::string path = a->out.empty() ? a->folder + "/report.html" : a->out;
      replace_file(path, report_html(data));
      fmt::print("{}\n", path);
      return kDone;
    };
  });
}

}  // namespace perfatlas
