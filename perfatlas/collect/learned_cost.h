// SPDX-License-Identifier: Apache-2.0
// How long cases take on this machine, learned while they are measured: for the time that is left and for sharing out
// the last cases between devices.
#pragma once

#include <functional>
#include <map>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// Every op has a factor between what its cases took and what was expected of them before anything was known; ops
/// without a measured case take the factor of all others.
class LearnedCost {
 public:
  /// `prior`: seconds expected of a case, positive (estimated_case_seconds()). It only has to rank cases of one op.
  explicit LearnedCost(std::function<double(const Case&)> prior);

  /// So many more cases that take about as long as `c` are to be done.
  void expect(const Case& c, double cases = 1);
  /// A case that was expected is done and took `seconds` of a device.
  void learn(const Case& c, double seconds);
  /// A case that was expected will not be done.
  void drop(const Case& c);

  double seconds_of(const Case& c) const;
  /// Device seconds of all cases that are still expected.
  double remaining_s() const;

 private:
  struct Sums {
    double left = 0;            // prior seconds still to come
    double done = 0, took = 0;  // prior and real seconds of cases that are done
    double cases = 0;           // that are done
  };
  double common_factor() const;
  static double factor(const Sums& sums, double common);

  std::function<double(const Case&)> prior_;
  std::map<const OpType*, Sums> ops_;
  Sums all_;
};

}  // namespace perfatlas
