// SPDX-License-Identifier: Apache-2.0
// perfatlas place DIR... --into DATA: measured rows into the database.
#include <fmt/format.h>

#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/collect/place.h"
#include "perfatlas/hw/system_spec.h"
#include "perfatlas/store/parquet.h"

namespace perfatlas {
namespace {

struct PlaceArguments {
  PlaceRequest request;
  std::string format;
  std::string into;
  bool json = false;
};

/// The system that the collections say they were made on; they must agree.
std::string system_of(const std::vector<std::string>& folders) {
  std::string found;
  for (const std::string& folder : folders) {
    const std::string path = folder + "/system.json";
    if (!std::filesystem::is_directory(folder))
      throw Error(fmt::format("{}: is no folder; give the --out folder of a collection", folder));
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

/// The format asked for; without one, Parquet where its plug-in is there, else CSV, which is said.
TableFormat format_from(const std::string& asked) {
  if (asked == "csv") return TableFormat::csv;
  if (asked == "parquet") return TableFormat::parquet;
  if (!asked.empty()) throw UsageError(fmt::format("--format '{}' is neither parquet nor csv", asked));
  std::string why_not;
  if (parquet_available(why_not)) return TableFormat::parquet;
  fmt::print(stderr, "new tables are written as CSV: {}\n", why_not);
  return TableFormat::csv;
}

int run_place(PlaceArguments a, const OpRegistry& ops) {
  a.request.format = format_from(a.format);
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
  verb->add_option("--format", a->format,
                   "parquet or csv, for new tables; default: parquet, csv without the Parquet plug-in");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n  perfatlas place run --into tables\n  perfatlas place shard1 shard2 shard3 --into tables "
      "--system my_xeon");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_place(*a, invocation.ops); }; });
}

}  // namespace perfatlas
