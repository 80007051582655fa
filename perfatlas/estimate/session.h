// SPDX-License-Identifier: Apache-2.0
// Published data with everything that was opened of it, kept for further questions.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/aic/engine.h"
#include "perfatlas/estimate/coverage.h"
#include "perfatlas/estimate/quantisation.h"
#include "perfatlas/estimate/served_model.h"
#include "perfatlas/estimate/worker.h"

namespace perfatlas::estimate {

/// Everything that decides a worker.
struct WorkerQuestion {
  std::string model;   // id or path
  std::string system;  // "h200_sxm"
  Framework framework = Framework::trtllm;
  std::string version;  // empty: the current one
  aic::ViewOptions view;
  Parallel parallel;  // one of moe_tp and moe_ep may be absent: it follows from the others
  QuantChoice quant;
  int64_t drafted_tokens = 0;
  std::string attention_backend, moe_backend;
  PhasesNeeded phases;
  bool decodes_only = false;  // prompts are not run, though the phases' communication must be known
  bool spans_nodes =
      true;  // experts over several nodes use all-to-all libraries (aggregated estimates do not)
  bool searching = false;  // as a search resolves kernels (QuantQuestion) and transport within a node
};

/// A system with the tables of one framework's version, opened.
struct OpenSystem {
  const AicSystem* system = nullptr;
  std::string version;
  aic::Engine engine;
};

/// Thread-safe. REQUIRES: the root outlives the session and its answers.
class Session {
 public:
  Session(const SystemsRoot& root, std::vector<std::string> model_folders);

  const SystemsRoot& root() const { return *root_; }
  ModelLibrary library() const { return {root_, folders_}; }

  /// Throws as find_checkpoint and make_served_model.
  std::shared_ptr<const ServedModel> model(const std::string& name_or_path);
  /// With Mode::sol a system needs no tables, only a description. Throws UsageError for an unknown system, framework or
  /// version, naming what there is.
  const OpenSystem& open(const std::string& system, Framework framework, const std::string& version,
                         aic::Mode mode);

  /// How a question would be deployed: widths completed, types and transport resolved. Throws UsageError with what to
  /// change where the model cannot be split or quantised that way.
  Deployment deploy(const WorkerQuestion& question);
  /// The worker, all ops bound; the same value for the same question. Throws as deploy().
  std::shared_ptr<const Worker> worker(const WorkerQuestion& question);

 private:
  std::shared_ptr<const Worker> build(const WorkerQuestion& question);

  const SystemsRoot* root_;
  std::vector<std::string> folders_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const ServedModel>> models_;
  std::map<std::string, std::unique_ptr<OpenSystem>> systems_;
  std::map<std::string, std::shared_ptr<const Worker>> workers_;
};

}  // namespace perfatlas::estimate
