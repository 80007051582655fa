// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/audited_families.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/points/hiccup.h"

namespace perfatlas {

AuditedFamilies::Key AuditedFamilies::key_of(const Case& c) const {
  const auto space = spaces_.try_emplace(c.op, *c.op).first;
  return {c.op, space->second.family_of(c.values)};
}

const AuditedFamilies::Family* AuditedFamilies::find(const Case& c) const {
  const auto found = families_.find(key_of(c));
  return found == families_.end() ? nullptr : &found->second;
}

void AuditedFamilies::take(const Case& c, const CaseRecord& record) {
  if (!record.place) return;
  Key key = key_of(c);
  auto found = families_.find(key);
  if (found == families_.end()) {
    std::string name = spaces_.at(c.op).family_name(c.values);
    Family family{std::move(name), FamilyAudit(*c.op, options_.maker, options_.context, options_.share)};
    found = families_.emplace(std::move(key), std::move(family)).first;
  }
  FamilyAudit& audit = found->second.audit;
  if (!record.row) return audit.without_latency(record.place->place);
  const double noise = record.row->quality ? record.row->quality->rel_ci95 : 0;
  audit.measured(record.place->place, {c.values, record.place->audit, latency_ms(*record.row), noise});
}

std::optional<AuditRecord> AuditedFamilies::advance(const Case& c) {
  const auto found = families_.find(key_of(c));
  if (found == families_.end() || !found->second.audit.advance()) return std::nullopt;
  return judged(found->second);
}

std::vector<AuditRecord> AuditedFamilies::advance_all() {
  std::vector<AuditRecord> records;
  for (auto& [key, family] : families_) {
    family.audit.advance();
    if (auto record = judged(family)) records.push_back(std::move(*record));
  }
  std::sort(records.begin(), records.end(),
            [](const AuditRecord& a, const AuditRecord& b) { return a.family < b.family; });
  return records;
}

std::optional<AuditRecord> AuditedFamilies::judged(Family& family) const {
  family.sigma = family.audit.sigma();
  family.figure = family.audit.figure();
  if (!family.figure) return std::nullopt;
  if (options_.target) family.verdict = family.audit.verdict(*options_.target);
  const AuditFigure& figure = *family.figure;
  return AuditRecord{.family = family.name,
                     .places = family.audit.judged_places(),
                     .audits = figure.audits,
                     .p90 = figure.p90,
                     .p90_low = figure.low,
                     .p90_high = figure.high,
                     .noise_floor = family.audit.floor(),
                     .verdict = std::string(name_of(family.verdict)),
                     .target = options_.target};
}

std::string audit_text(const AuditRecord& a, bool share_used) {
  std::string text = fmt::format("{}: p90 {:.1f} % ({:.1f} to {:.1f}) by {} audits after {} points", a.family,
                                 100 * a.p90, 100 * a.p90_low, 100 * a.p90_high, a.audits, a.places);
  if (a.noise_floor > 0) text += fmt::format(", of which noise makes {:.1f} %", 100 * a.noise_floor);
  if (!a.target) return text;
  text += fmt::format("; target {:.1f} % ", 100 * *a.target);
  if (a.verdict == name_of(StopVerdict::reached)) return text + "reached";
  if (a.verdict == name_of(StopVerdict::unreachable))
    return text + "out of reach: the rows' own noise is above it; quieten the machine or raise the target";
  if (a.verdict == name_of(StopVerdict::plateau)) return text + "not reached: more points no longer help";
  if (!share_used) return text + "not reached yet";
  const std::string_view op = std::string_view(a.family).substr(0, a.family.find(' '));
  return text + fmt::format(
                    "not reached with the family's share of the plan; the same command with a larger "
                    "--share {}=... goes on from here",
                    op);
}

bool AuditedFamilies::is_stopped(const Family& family) const {
  return family.verdict != StopVerdict::go_on || stopped_elsewhere_.contains(family.name);
}

bool AuditedFamilies::stopped(const Case& c) const {
  if (!options_.target && stopped_elsewhere_.empty()) return false;
  const Family* const family = find(c);
  if (family != nullptr) return is_stopped(*family);
  return stopped_elsewhere_.contains(spaces_.at(c.op).family_name(c.values));
}

bool AuditedFamilies::any_stopped() const {
  return !stopped_elsewhere_.empty() ||
         std::any_of(families_.begin(), families_.end(),
                     [this](const auto& entry) { return is_stopped(entry.second); });
}

bool AuditedFamilies::doubtful(const Case& c, double latency_ms) const {
  const Family* const family = find(c);
  if (family == nullptr || !family->sigma) return false;
  const auto predicted = family->audit.predicted_ms(c.values);
  return predicted && looks_like_hiccup(latency_ms, *predicted, *family->sigma);
}

int AuditedFamilies::measurements(const Case& c, double noise) const {
  const Family* const family = find(c);
  return family != nullptr && family->figure ? measurements_of(noise, family->figure->p90) : 1;
}

}  // namespace perfatlas
