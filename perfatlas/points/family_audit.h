// SPDX-License-Identifier: Apache-2.0
// One family while it is measured, by one process or by many: everything follows from what was measured at which place
// of the static order, so that journals of any number of machines, read in any order, give the same figures.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "perfatlas/points/audit_window.h"
#include "perfatlas/points/predictor.h"

namespace perfatlas {

/// A measured place of the order. `noise`: half-width of the 95 % interval, relative; 0: unknown.
struct MeasuredPlace {
  FieldValues values{};
  bool audit = false;
  double latency_ms = 0;
  double noise = 0;
};

/// Places are judged in batches that grow by 30 %: audits of a batch are predicted from all places before the batch.
class FamilyAudit {
 public:
  /// `share`: of the places that will be told here at all (a shard's: 1 / shards). REQUIRES: 0 < share <= 1; op and the
  /// context's system outlive this.
  FamilyAudit(const OpType& op, PredictorMaker maker, SolContext context, double share = 1);

  /// Measured, or measured again: the last value of a place counts.
  void measured(uint64_t place, const MeasuredPlace& point);
  /// Decided without a latency (skipped, failed).
  void without_latency(uint64_t place);

  /// Judges every batch of which nine tenths are decided; of those that are decided later nothing is predicted. True
  /// when there was one.
  bool advance();

  /// What the current points say of a case; nothing before the first batch is complete.
  std::optional<double> predicted_ms(const FieldValues& values) const;
  /// Usual |ln(measured / predicted)|: of the audits, or while there are fewer than eight of points left out.
  std::optional<double> sigma() const;

  std::optional<AuditFigure> figure() const;
  double floor() const;
  StopVerdict verdict(double target) const;
  uint64_t judged_places() const { return judged_; }
  const std::vector<AuditError>& audits() const { return audits_; }

 private:
  bool ready() const;
  void judge_batch();
  void decide(uint64_t place, bool is_new);

  const OpType* op_;
  PredictorMaker maker_;
  SolContext context_;
  double share_;
  std::map<uint64_t, MeasuredPlace> points_;
  std::set<uint64_t> others_;       // decided without a latency
  std::vector<AuditError> audits_;  // ascending by place
  std::vector<double> log_errors_;  // of the same audits
  std::unique_ptr<const Predictor> predictor_;
  uint64_t judged_ = 0;   // places before this are in the predictor
  uint64_t next_;         // end of the batch being measured
  uint64_t decided_ = 0;  // places from judged_ to next_
};

}  // namespace perfatlas
