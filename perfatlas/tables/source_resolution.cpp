// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/source_resolution.h"

#include <algorithm>
#include <map>
#include <set>

#include "perfatlas/store/version_order.h"

namespace perfatlas {
namespace {

class Resolution {
 public:
  Resolution(const SystemTables& tables, const TableRequest& request, std::string_view table)
      : tables_(tables), request_(request), table_(table) {}

  /// Appends the file of a back end's version unless it is missing or there already.
  void add(SourceChannel channel, const std::string& backend, const std::string& version,
           std::vector<std::string> kernels = {}) {
    const VersionFolder* const folder = tables_.holder(table_, backend, version);
    if (folder == nullptr) return;
    const TableFile& file = *folder->find(table_);
    const bool there = std::any_of(sources_.begin(), sources_.end(),
                                   [&](const TableSource& source) { return source.path == file.path; });
    if (there) return;
    sources_.push_back({channel, folder->family, backend, version, std::string(table_), file.path,
                        file.format, std::move(kernels)});
  }

  void add_earlier() {
    if (!is_version(request_.version)) return;
    const std::vector<std::string> versions = tables_.versions(request_.backend);
    for (auto version = versions.rbegin(); version != versions.rend(); ++version)
      if (is_version(*version) && older_version(*version, request_.version))
        add(SourceChannel::earlier, request_.backend, *version);
  }

  void add_siblings(std::span<const SharedKernel> shared_kernels) {
    std::map<std::string, std::set<std::string>> kernels_of;  // by the other back end
    for (const SharedKernel& shared : shared_kernels) {
      const auto& names = shared.frameworks;
      if (shared.table != table_ || std::find(names.begin(), names.end(), request_.backend) == names.end())
        continue;
      for (const std::string& name : names)
        if (name != request_.backend) kernels_of[name].insert(shared.kernel);
    }
    for (const auto& [backend, kernels] : kernels_of) {
      const std::vector<std::string> versions = tables_.versions(backend);
      for (auto version = versions.rbegin(); version != versions.rend(); ++version)
        add(SourceChannel::sibling, backend, *version, {kernels.begin(), kernels.end()});
    }
  }

  std::vector<TableSource> take() { return std::move(sources_); }

 private:
  const SystemTables& tables_;
  const TableRequest& request_;
  std::string_view table_;
  std::vector<TableSource> sources_;
};

}  // namespace

std::vector<TableSource> resolve_sources(const SystemTables& tables, const TableRequest& request,
                                         std::string_view table, std::span<const TableDonor> donors,
                                         std::span<const SharedKernel> shared_kernels) {
  Resolution resolution(tables, request, table);
  resolution.add(SourceChannel::primary, request.backend, request.version);
  if (request.shared == SharedLayer::off) return resolution.take();
  const std::vector<std::string> families = tables.families_of(table);
  const bool comm = std::find(families.begin(), families.end(), kCommFamily) != families.end();
  if (comm && families.size() > 1) return resolution.take();
  if (!comm)
    for (const TableDonor& donor : donors)
      if (donor.table == table) resolution.add(SourceChannel::donor, request.backend, donor.from_version);
  resolution.add_earlier();
  if (!comm) resolution.add_siblings(shared_kernels);
  return resolution.take();
}

}  // namespace perfatlas
