// SPDX-License-Identifier: Apache-2.0
// Measuring a case again at once, when its row is doubtful or noisy, and keeping the middle one of its measurements.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "perfatlas/collect/journal.h"

namespace perfatlas {

class SecondLook {
 public:
  /// What to do about a measured row.
  struct Decision {
    std::vector<CaseRecord> write;  // in this order: the newest record of a case counts
    bool again = false;             // measure the case once more
  };

  /// `measurements`: how often it is to be measured in all, at least (1: once). A doubtful row is measured twice, and
  /// a third time when the two differ by more than 10 %. Every measurement is written; only the last record is final.
  /// REQUIRES: the record is measured and final; `plan_index` names its case.
  Decision take(size_t plan_index, CaseRecord record, bool doubtful, int measurements);

  /// Of cases that were measured more than once.
  uint64_t cases() const { return cases_; }

 private:
  struct Pending {
    std::vector<CaseRecord> records;
    size_t wanted = 1;
  };
  std::map<size_t, Pending> pending_;
  uint64_t cases_ = 0;
};

}  // namespace perfatlas
