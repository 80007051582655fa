// SPDX-License-Identifier: Apache-2.0
// What published tables hold for a model, where that decides how it is deployed.
#pragma once

#include <string>

#include "perfatlas/aic/engine.h"
#include "perfatlas/estimate/quantisation.h"
#include "perfatlas/estimate/served_model.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas::estimate {

/// The element types of the prefill attention tables of a system, framework and version that this model would use.
/// `root` outlives the answer.
MeasuredFmha measured_fmha(const SystemsRoot& root, const TableRequest& request, const ServedModel& model);

/// The phases that a worker runs.
struct PhasesNeeded {
  bool context = true, generation = true;
};

/// Which all-to-all libraries carry the tokens of experts that span nodes: in each phase the first of the framework's
/// own whose communication and expert compute were measured for this model. Empty when the experts stay within a node
/// (unless `within_node`: searches use the libraries there, too, where they were measured) or the model has none.
/// Throws UsageError when they span nodes and were not measured, or are split by tensor parallelism as well.
ExpertTransport expert_transport(const ServedModel& model, const Deployment& deployment, PhasesNeeded phases,
                                 const aic::View& view, bool within_node = false);

}  // namespace perfatlas::estimate
