// SPDX-License-Identifier: Apache-2.0
// One copy of a model on its ranks with every look-up done, and what its engine steps take.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/aic/engine.h"
#include "perfatlas/estimate/deployment.h"
#include "perfatlas/estimate/memory.h"
#include "perfatlas/estimate/price_error.h"
#include "perfatlas/estimate/served_model.h"
#include "perfatlas/tables/aic_system.h"

namespace perfatlas::estimate {

/// The time of a step or of many. A plain value: searches make millions.
struct StepPrice {
  double latency_ms = 0;
  double energy_mj = 0;               // 0 where the tables have none
  double latency_with_energy_ms = 0;  // share of the latency whose energy is known
  std::array<double, 5> by_source{};  // latency_ms by aic::Source
  double transferred_ms = 0;          // share that was borrowed from another shape, mode or op
  aic::Failure failure =
      aic::Failure::none;  // of the first op without an answer; latency_ms is then meaningless
  uint16_t failed_op = 0;  // its index in the phase's list
  bool failed_in_context = false;

  bool ok() const { return failure == aic::Failure::none; }
  StepPrice& operator+=(const StepPrice& other);
  StepPrice& operator*=(double factor);
};

/// One line of a breakdown.
struct OpPrice {
  std::string name;
  aic::Price price;
  double error_ms = 0;      // half-width of the interval that holds nine of ten (price_error.h)
  double unbounded_ms = 0;  // part of the latency that no interval is known of

  void add(const OpPrice& other);
  void scale(double factor);
};
/// In execution order; ops of the same name are one line.
using OpPrices = std::vector<OpPrice>;

/// A step that runs prompts and decodes at once.
struct MixedStep {
  int64_t context_tokens = 0;   // new tokens of prompts
  int64_t decode_requests = 0;  // requests that decode in the same step
  int64_t isl = 0, osl = 0;     // of the typical request
  int64_t prefix = 0;           // of its prompt's tokens, those in the KV cache already
};

/// Immutable and cheap to share; all functions may be called from many threads.
class Worker {
 public:
  /// Binds every op of the model's two phases. REQUIRES: model->why_not(deployment) is empty.
  Worker(std::shared_ptr<const ServedModel> model, Deployment deployment, const aic::View& view,
         const AicSystem& system);

  /// Prefill of `batch` prompts with `s` new tokens each, after `prefix` cached ones.
  StepPrice context_step(int64_t batch, int64_t s, int64_t prefix) const;
  /// Decode step of `requests` sequences that have `s` tokens after it. Drafted tokens are added.
  StepPrice generation_step(int64_t requests, int64_t s) const;
  /// Shared ops see the new tokens of prompts and decodes as one prompt; attention is priced for both separately.
  StepPrice mixed_step(const MixedStep& step) const;

  /// The same, one line per op. Lines of failed ops have their failure.
  OpPrices context_ops(int64_t batch, int64_t s, int64_t prefix) const;
  OpPrices generation_ops(int64_t requests, int64_t s) const;
  OpPrices mixed_ops(const MixedStep& step) const;

  /// What is missing for a step that has failed, in one line: op, table and key.
  std::string explain_context(const StepPrice& failed, int64_t batch, int64_t s, int64_t prefix) const;
  std::string explain_generation(const StepPrice& failed, int64_t requests, int64_t s) const;
  std::string explain_mixed(const StepPrice& failed, const MixedStep& step) const;

  /// A step of either phase in two parts: attention (fused attention blocks as a whole), and everything else.
  struct SplitPrice {
    StepPrice attention, other;
  };
  SplitPrice split_context_step(int64_t batch, int64_t s, int64_t prefix) const;
  SplitPrice split_generation_step(int64_t requests, int64_t s) const;
  /// The attention of a step comes with its projections, as one block.
  bool attention_is_fused() const;

  /// Weights of one rank, of the ops of a prefill step, over the pipeline's stages.
  double weight_bytes() const { return weight_bytes_; }
  WorkerSizes sizes() const { return {model_.get(), &deployment_, system_, weight_bytes_}; }

  const ServedModel& model() const { return *model_; }
  const Deployment& deployment() const { return deployment_; }
  const AicSystem& system() const { return *system_; }
  /// All-to-alls that were answered from another number of nodes than asked for.
  std::vector<aic::MoeCommFallback> comm_fallbacks() const;

 private:
  struct Bound {
    aic::BoundOp op;
    std::string name;
    std::optional<PriceError> error;
    bool attention;      // priced by requests in a mixed step
    bool any_attention;  // that, or a block that holds attention
    bool last_token;     // sees one token per request in prefill
    double count = 1;    // of this op in a step, with later ones that cost multiples of it; those have 0
  };
  enum class Part { all, attention, other, any_attention, no_attention };
  static std::vector<Bound> bind(const std::vector<aic::Op>& ops, const char* attention,
                                 const aic::View& view);
  static bool priced_alike(const Bound& a, const Bound& b);
  static bool belongs(Part part, const Bound& bound);
  template <class Visit>
  void each(bool context, Part part, const aic::PhasePoint& at, Visit visit) const;
  StepPrice sum(bool context, Part part, const aic::PhasePoint& at) const;
  void list(bool context, Part part, const aic::PhasePoint& at, OpPrices& out) const;

  std::shared_ptr<const ServedModel> model_;
  Deployment deployment_;
  const AicSystem* system_;
  std::vector<Bound> context_, generation_;
  double weight_bytes_ = 0;
};

}  // namespace perfatlas::estimate
