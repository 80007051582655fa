// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/session.h"

#include <fmt/format.h>

#include "perfatlas/aic/open_engine.h"
#include "perfatlas/base/error.h"

namespace perfatlas::estimate {
namespace {

std::string key_of(const QuantChoice& quant) {
  std::string key;
  for (const auto& mode : {quant.gemm, quant.moe, quant.kv, quant.fmha, quant.comm})
    key += fmt::format("{} ", mode ? int(*mode) : -1);
  return key;
}

std::string key_of(const WorkerQuestion& q) {
  const aic::TransferPolicy& t = q.view.transfers;
  return fmt::format("{}\n{} {} {} {} {}{}{}{} {} {} {} {}\n{} {}\n{}{}{}{}", q.model, q.system,
                     name_of(q.framework), q.version, int(q.view.mode), t.xshape, t.xquant, t.xprofile, t.xop,
                     q.view.shared_layer ? int(*q.view.shared_layer) : -1, q.parallel.label(), q.parallel.cp,
                     key_of(q.quant) + std::to_string(q.drafted_tokens), q.attention_backend, q.moe_backend,
                     q.phases.context, q.phases.generation, q.spans_nodes, q.searching + 2 * q.decodes_only);
}

}  // namespace

Session::Session(const SystemsRoot& root, std::vector<std::string> model_folders)
    : root_(&root), folders_(std::move(model_folders)) {}

std::shared_ptr<const ServedModel> Session::model(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const ServedModel>& model = models_[name];
  if (!model) model = make_served_model(find_checkpoint(name, library()));
  return model;
}

const OpenSystem& Session::open(const std::string& system, Framework framework, const std::string& version,
                                aic::Mode mode) {
  const std::string backend(name_of(framework));
  const std::lock_guard lock(mutex_);
  std::unique_ptr<OpenSystem>& open =
      systems_[fmt::format("{} {} {} {}", system, backend, version, mode == aic::Mode::sol)];
  if (!open) {
    const AicSystem& description = root_->system(system);
    if (aic::answers_without_tables(*root_, {system, backend, version}, mode)) {
      open = std::make_unique<OpenSystem>(OpenSystem{&description,
                                                     version.empty() ? std::string(aic::kNoTables) : version,
                                                     aic::Engine::described(*root_, system, backend)});
      return *open;
    }
    const std::string resolved = root_->resolve_version(system, backend, version);
    open = std::make_unique<OpenSystem>(OpenSystem{&root_->system_of({system, backend, resolved}), resolved,
                                                   aic::Engine::open(*root_, system, backend, resolved)});
  }
  return *open;
}

Deployment Session::deploy(const WorkerQuestion& q) {
  const std::shared_ptr<const ServedModel> served = model(q.model);
  const OpenSystem& on = open(q.system, q.framework, q.version, q.view.mode);
  Deployment d;
  d.framework = q.framework;
  d.parallel = served->completed(q.parallel);
  d.drafted_tokens = q.drafted_tokens;
  d.attention_backend = q.attention_backend;
  d.moe_backend = q.moe_backend;
  d.system = q.system;
  d.sm_version = on.system->sm_version.value_or(0);
  d.gpus_per_node = on.system->gpus_per_node;
  if (std::string why = served->why_not(d); !why.empty()) throw UsageError(q.model + ": " + why);
  const bool shared =
      q.view.shared_layer.value_or(q.view.mode == aic::Mode::silicon || q.view.mode == aic::Mode::hybrid);
  const TableRequest request{q.system, std::string(name_of(q.framework)), on.version,
                             shared ? SharedLayer::on : SharedLayer::off};
  QuantQuestion quant{.chosen = q.quant,
                      .framework = q.framework,
                      .sm_version = d.sm_version,
                      .moe_backend = q.moe_backend,
                      .runs_prefill = q.phases.context && !q.decodes_only,
                      .searching = q.searching};
  const MeasuredFmha measured = measured_fmha(*root_, request, *served);
  if (q.spans_nodes) {
    quant.wide_experts = true;  // the experts' type decides whether their transport was measured
    d.quant = resolve_quant(*served, quant, measured);
    // A search counts the weights of decode workers by the ops of their prefill, which must then be known, too.
    const PhasesNeeded measured_phases{q.phases.context || q.searching, q.phases.generation};
    d.transport = expert_transport(*served, d, measured_phases, on.engine.view(q.view), q.searching);
  }
  quant.wide_experts = d.transport.used();
  d.quant = resolve_quant(*served, quant, measured);
  if (std::string why = served->why_not(d); !why.empty()) throw UsageError(q.model + ": " + why);
  return d;
}

std::shared_ptr<const Worker> Session::build(const WorkerQuestion& q) {
  const Deployment deployment = deploy(q);
  const OpenSystem& on = open(q.system, q.framework, q.version, q.view.mode);
  return std::make_shared<const Worker>(model(q.model), deployment, on.engine.view(q.view), *on.system);
}

std::shared_ptr<const Worker> Session::worker(const WorkerQuestion& q) {
  const std::string key = key_of(q);
  {
    const std::lock_guard lock(mutex_);
    const auto at = workers_.find(key);
    if (at != workers_.end()) return at->second;
  }
  std::shared_ptr<const Worker> made = build(q);
  const std::lock_guard lock(mutex_);
  return workers_.try_emplace(key, std::move(made)).first->second;
}

}  // namespace perfatlas::estimate
