// SPDX-License-Identifier: Apache-2.0
// The families of a small plan while they are measured: what their audits say, which of them have enough points, and
// which rows look like hiccups. Made from case records alone - of a running collection, of an interrupted one, or of
// the journals of any number of shards - and the same from all of them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "perfatlas/collect/journal.h"
#include "perfatlas/interp/size_space.h"
#include "perfatlas/points/family_audit.h"

namespace perfatlas {

struct AuditOptions {
  PredictorMaker maker = make_kriged_predictor;
  SolContext context;            // its system outlives whatever keeps the options
  std::optional<double> target;  // of the audits' p90; nothing: families are never stopped
  double share = 1;              // of the plan's places that are told here
};

class AuditedFamilies {
 public:
  explicit AuditedFamilies(AuditOptions options) : options_(std::move(options)) {}

  /// A case of a small plan was decided; a later record of the same place replaces an earlier one. Records without a
  /// place (shapes of models, full plans) are ignored.
  void take(const Case& c, const CaseRecord& record);

  /// Judges the complete batches of the case's family. Nothing when there was none or too few audits are known.
  std::optional<AuditRecord> advance(const Case& c);
  /// The same for all families: one record each with figures, in order of name.
  std::vector<AuditRecord> advance_all();

  /// The family has enough points, or no more would help; always false without a target.
  bool stopped(const Case& c) const;
  /// Stops a family by name, whatever its audits say (decided elsewhere from more journals).
  void stop(const std::string& family) { stopped_elsewhere_.insert(family); }
  bool any_stopped() const;

  /// The row is far from what its neighbours say: see looks_like_hiccup().
  bool doubtful(const Case& c, double latency_ms) const;
  /// How often a row of this noise should be measured in all (measurements_of).
  int measurements(const Case& c, double noise) const;

 private:
  struct Family {
    std::string name;
    FamilyAudit audit;
    StopVerdict verdict = StopVerdict::go_on;
    std::optional<AuditFigure> figure;
    std::optional<double> sigma;
  };
  using Key = std::pair<const OpType*, SliceKey>;
  Key key_of(const Case& c) const;
  const Family* find(const Case& c) const;
  std::optional<AuditRecord> judged(Family& family) const;
  bool is_stopped(const Family& family) const;

  AuditOptions options_;
  mutable std::map<const OpType*, SizeSpace> spaces_;
  std::map<Key, Family> families_;
  std::set<std::string> stopped_elsewhere_;
};

/// One line: the error, and of a record with a target what became of that. `share_used`: the whole plan is decided.
std::string audit_text(const AuditRecord& record, bool share_used);

}  // namespace perfatlas
