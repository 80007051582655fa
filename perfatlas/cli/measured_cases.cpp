// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/measured_cases.h"

#include <unordered_map>

#include "perfatlas/base/file.h"
#include "perfatlas/cli/measure_options.h"

namespace perfatlas {
namespace {

class Keeper : public CollectObserver {
 public:
  void on_case(const CaseRecord& record) override { records[record.case_id] = record; }
  std::unordered_map<uint64_t, CaseRecord> records;
};

}  // namespace

std::vector<CaseRecord> measure_cases(const MeasureCases& request, const OpRegistry& ops) {
  const TemporaryFolder folder;
  CollectOptions options;
  options.folder = folder.path();
  options.backend = request.backend;
  options.devices = request.device.empty() ? default_devices(request.backend) : std::vector{request.device};
  options.measure = request.measure;
  options.drift.max_cases = 0;
  options.system = request.system;
  Keeper keeper;
  (void)collect(plan_of(request.cases), ops, options, keeper);
  std::vector<CaseRecord> records;
  for (const Case& c : request.cases) {
    const auto found = keeper.records.find(case_id(c));
    if (found != keeper.records.end()) {
      records.push_back(found->second);
    } else {
      CaseRecord missing{.case_text = case_text(c), .case_id = case_id(c), .outcome = Outcome::failed};
      missing.reason = "the run ended before this case";
      records.push_back(missing);
    }
  }
  return records;
}

}  // namespace perfatlas
