// SPDX-License-Identifier: Apache-2.0
// What the measured cases of one family say about another one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "perfatlas/interp/slice.h"

namespace perfatlas {

/// Immutable once made; may be asked from many threads.
class Predictor {
 public:
  virtual ~Predictor() = default;
  /// Nothing when the points say nothing about this case.
  virtual std::optional<double> latency_ms(const FieldValues& values) const = 0;
  /// Usual |ln(measured / predicted)| of a point that is left out (robust_sigma); nothing when it was not looked at.
  virtual std::optional<double> sigma() const { return std::nullopt; }
};

/// Makes a predictor from points of one family (SizeSpace::family_of). Of points with equal fields the last counts.
/// REQUIRES: op and the context's system outlive the predictor.
using PredictorMaker = std::function<std::unique_ptr<const Predictor>(
    const OpType& op, std::span<const SlicePoint> points, SolContext context)>;

/// By local kriging over sizes and shapes (interp/kriged_family.h): the best reader of sparse points.
std::unique_ptr<const Predictor> make_kriged_predictor(const OpType& op, std::span<const SlicePoint> points,
                                                       SolContext context);

/// By the op's own resolver, slice by slice: what a full grid is read with.
std::unique_ptr<const Predictor> make_resolver_predictor(const OpType& op, std::span<const SlicePoint> points,
                                                         SolContext context);

}  // namespace perfatlas
