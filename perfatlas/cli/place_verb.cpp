// SPDX-License-Identifier: Apache-2.0
// perfatlas place DIR... --into DATA: measured rows into the database.
#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/collect/place.h"
#include "perfatlas/hw/system_spec.h"

namespace perfatlas {
namespace {

struct PlaceArguments {
  PlaceRequest request;
  std::string format = "parquet";
  std::string into;
  bool json = false;
};

/// The system that the collections say they were made on; they must agree.
std::string system_of(const std::vector<std::string>& folders) {
  std::string found;
  for (const std::string& folder : folders) {
    const std::string path = folder + "/system.json";
    if (!file_exists(path))
      throw UsageError(
          fmt::format("{}: has no system.json, so give the system's name with --system", folder));
    const std::string name = read_system_spec(path).system;
    if (!found.empty() && name != found)
      throw UsageError(
          fmt::format("{}: was made on {}, the others on {}; place them one by one or give --system", folder,
                      name, found));
    found = name;
  }
  return found;
}

int run_place(PlaceArguments a, const OpRegistry& ops) {
  if (a.format != "parquet" && a.format != "csv")
    throw UsageError(fmt::format("--format '{}' is neither parquet nor csv", a.format));
  a.request.format = a.format == "csv" ? TableFormat::csv : TableFormat::parquet;
  if (a.request.system.empty()) a.request.system = system_of(a.request.collections);
  a.request.data_root = data_root(a.into);
  const PlaceReport report = place(ops, a.request);
  if (a.json)
    fmt::print("{}\n", report.json());
  else
    fmt::print("{}", report.text());
  return kDone;
}

}  // namespace

void add_place(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("place", "Merge collections into the database");
  const auto a = std::make_shared<PlaceArguments>();
  verb->add_option("folders", a->request.collections, "Collection folders, from any number of machines")
      ->required();
  verb->add_option("--into", a->into, "Data folder; default: PERFATLAS_DATA, else the user's data folder");
  verb->add_option("--system", a->request.system, "System name; default: the one probe suggested");
  verb->add_option("--format", a->format, "parquet or csv, for new tables")->capture_default_str();
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n  perfatlas place run --into tables\n  perfatlas place shard1 shard2 shard3 --into tables "
      "--system my_xeon");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_place(*a, invocation.ops); }; });
}

}  // namespace perfatlas
