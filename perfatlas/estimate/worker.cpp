// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/estimate/op_weights.h"

namespace perfatlas::estimate {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// How a mixed step is priced: all its new tokens as one prompt, attention of prompts, attention of decodes.
struct MixedPoints {
  aic::PhasePoint shared, prompts, decodes;
  int64_t prompt_parts = 1;  // steps that one prompt is spread over
};

MixedPoints mixed_points(const MixedStep& step, int64_t drafted) {
  const int64_t queries = step.decode_requests * (drafted + 1);
  const int64_t cached = step.prefix * (step.context_tokens / step.isl);
  MixedPoints p;
  p.shared = aic::PhasePoint::in_context(1, step.context_tokens + queries - cached, cached);
  p.prompts = aic::PhasePoint::in_context(ceil_div(step.context_tokens, step.isl), step.isl - step.prefix,
                                          step.prefix);
  p.decodes = aic::PhasePoint::in_generation(queries, step.isl + step.osl / 2 + 1);
  p.prompt_parts = step.context_tokens > 0 ? ceil_div(step.isl, step.context_tokens) : 1;
  return p;
}

/// By name: plain attention, an MLA block with its projections, a sparse attention module.
bool holds_attention(const std::string& name) {
  return name.find("attention") != std::string::npos || name.find("_mla_block") != std::string::npos ||
         name.find("dsa") != std::string::npos;
}

void add_line(OpPrices& lines, OpPrice price) {
  for (OpPrice& line : lines)
    if (line.name == price.name) return line.add(price);
  lines.push_back(std::move(price));
}

OpPrice sum_of(const OpPrices& lines, std::string name) {
  OpPrice sum{std::move(name), {}};
  for (const OpPrice& line : lines) sum.add(line);
  return sum;
}

}  // namespace

void OpPrice::add(const OpPrice& other) {
  price += other.price;
  error_ms += other.error_ms;
  unbounded_ms += other.unbounded_ms;
}

void OpPrice::scale(double factor) {
  price *= factor;
  error_ms *= factor;
  unbounded_ms *= factor;
}

StepPrice& StepPrice::operator+=(const StepPrice& other) {
  if (ok() && !other.ok()) {
    failure = other.failure;
    failed_op = other.failed_op;
    failed_in_context = other.failed_in_context;
  }
  latency_ms += other.latency_ms;
  energy_mj += other.energy_mj;
  latency_with_energy_ms += other.latency_with_energy_ms;
  transferred_ms += other.transferred_ms;
  for (size_t i = 0; i < by_source.size(); ++i) by_source[i] += other.by_source[i];
  return *this;
}

StepPrice& StepPrice::operator*=(double factor) {
  latency_ms *= factor;
  energy_mj *= factor;
  latency_with_energy_ms *= factor;
  transferred_ms *= factor;
  for (double& share : by_source) share *= factor;
  return *this;
}

Worker::Worker(std::shared_ptr<const ServedModel> model, Deployment deployment, const aic::View& view,
               const AicSystem& system)
    : model_(std::move(model)), deployment_(std::move(deployment)), system_(&system) {
  const StepGraph graph = model_->graph(deployment_);
  context_ = bind(graph.context, "context_attention", view);
  generation_ = bind(graph.generation, "generation_attention", view);
  for (const aic::Op& op : graph.context) weight_bytes_ += estimate::weight_bytes(op);
  weight_bytes_ /= double(deployment_.parallel.pp);
}

std::vector<Worker::Bound> Worker::bind(const std::vector<aic::Op>& ops, const char* attention,
                                        const aic::View& view) {
  std::vector<Bound> bound;
  bound.reserve(ops.size());
  for (const aic::Op& op : ops) {
    const std::string& name = op.name();
    bound.push_back({view.bind(op), name, price_error_of(op), name == attention, holds_attention(name),
                     name.ends_with("logits_gemm")});
    // A layer has several all-reduces and norms of one shape.
    for (size_t i = 0; i + 1 < bound.size(); ++i) {
      const std::optional<double> multiple = op.multiple_of(ops[i]);
      if (!multiple || bound[i].count == 0 || !priced_alike(bound[i], bound.back())) continue;
      bound[i].count += *multiple;
      bound.back().count = 0;
      break;
    }
  }
  return bound;
}

bool Worker::priced_alike(const Bound& a, const Bound& b) {
  return a.attention == b.attention && a.any_attention == b.any_attention && a.last_token == b.last_token;
}

bool Worker::belongs(Part part, const Bound& bound) {
  switch (part) {
    case Part::all:
      return true;
    case Part::attention:
      return bound.attention;
    case Part::other:
      return !bound.attention;
    case Part::any_attention:
      return bound.any_attention;
    case Part::no_attention:
      return !bound.any_attention;
  }
  return true;
}

template <class Visit>
void Worker::each(bool context, Part part, const aic::PhasePoint& at, Visit visit) const {
  const std::vector<Bound>& ops = context ? context_ : generation_;
  aic::PhasePoint last = at;
  last.tokens = at.batch;
  for (size_t i = 0; i < ops.size(); ++i) {
    const Bound& bound = ops[i];
    if (!belongs(part, bound)) continue;
    const aic::PhasePoint& point = context && bound.last_token ? last : at;
    visit(i, bound, point);
  }
}

StepPrice Worker::sum(bool context, Part part, const aic::PhasePoint& at) const {
  StepPrice total;
  each(context, part, at, [&](size_t index, const Bound& bound, const aic::PhasePoint& point) {
    if (bound.count == 0) return;
    aic::Price price = bound.op.price(point);
    if (bound.count != 1) price *= bound.count;
    if (!price.ok()) {
      if (total.ok()) {
        total.failure = price.failure;
        total.failed_op = uint16_t(index);
        total.failed_in_context = context;
      }
      return;
    }
    total.latency_ms += price.latency_ms;
    total.energy_mj += price.energy_mj;
    if (price.energy_mj > 0) total.latency_with_energy_ms += price.latency_ms;
    total.by_source[size_t(price.source)] += price.latency_ms;
    if (price.provenance >= aic::Provenance::xshape) total.transferred_ms += price.latency_ms;
  });
  return total;
}

void Worker::list(bool context, Part part, const aic::PhasePoint& at, OpPrices& out) const {
  each(context, part, at, [&](size_t, const Bound& bound, const aic::PhasePoint& point) {
    const aic::Price price = bound.op.price(point);
    OpPrice line{bound.name, price};
    const auto error = relative_error(bound.error, price, bound.op.ground(point).kind);
    (error ? line.error_ms : line.unbounded_ms) = error.value_or(1) * price.latency_ms;
    add_line(out, std::move(line));
  });
}

StepPrice Worker::context_step(int64_t batch, int64_t s, int64_t prefix) const {
  return sum(true, Part::all, aic::PhasePoint::in_context(batch, s, prefix));
}

StepPrice Worker::generation_step(int64_t requests, int64_t s) const {
  return sum(false, Part::all,
             aic::PhasePoint::in_generation(requests * (deployment_.drafted_tokens + 1), s));
}

StepPrice Worker::mixed_step(const MixedStep& step) const {
  const MixedPoints p = mixed_points(step, deployment_.drafted_tokens);
  StepPrice total = sum(true, Part::other, p.shared);
  if (step.context_tokens > 0) {
    StepPrice prompts = sum(true, Part::attention, p.prompts);
    if (p.prompt_parts > 1) prompts *= 1.0 / double(p.prompt_parts);
    total += prompts;
  }
  if (step.decode_requests > 0) total += sum(false, Part::attention, p.decodes);
  return total;
}

OpPrices Worker::context_ops(int64_t batch, int64_t s, int64_t prefix) const {
  OpPrices lines;
  list(true, Part::all, aic::PhasePoint::in_context(batch, s, prefix), lines);
  return lines;
}

OpPrices Worker::generation_ops(int64_t requests, int64_t s) const {
  OpPrices lines;
  list(false, Part::all, aic::PhasePoint::in_generation(requests * (deployment_.drafted_tokens + 1), s),
       lines);
  return lines;
}

OpPrices Worker::mixed_ops(const MixedStep& step) const {
  const MixedPoints p = mixed_points(step, deployment_.drafted_tokens);
  OpPrices lines, attention;
  list(true, Part::other, p.shared, lines);
  if (step.context_tokens > 0) list(true, Part::attention, p.prompts, attention);
  OpPrice scaled = sum_of(attention, "context_attention (scaled)");
  scaled.scale(1.0 / double(p.prompt_parts));
  lines.push_back(std::move(scaled));
  OpPrices decodes;
  if (step.decode_requests > 0) list(false, Part::attention, p.decodes, decodes);
  lines.push_back(sum_of(decodes, "generation_attention"));
  return lines;
}

Worker::SplitPrice Worker::split_context_step(int64_t batch, int64_t s, int64_t prefix) const {
  const auto at = aic::PhasePoint::in_context(batch, s, prefix);
  return {sum(true, Part::any_attention, at), sum(true, Part::no_attention, at)};
}

Worker::SplitPrice Worker::split_generation_step(int64_t requests, int64_t s) const {
  const auto at = aic::PhasePoint::in_generation(requests * (deployment_.drafted_tokens + 1), s);
  return {sum(false, Part::any_attention, at), sum(false, Part::no_attention, at)};
}

bool Worker::attention_is_fused() const {
  return std::any_of(generation_.begin(), generation_.end(),
                     [](const Bound& bound) { return bound.any_attention && !bound.attention; });
}

std::string Worker::explain_context(const StepPrice& failed, int64_t batch, int64_t s, int64_t prefix) const {
  const Bound& bound = context_[failed.failed_op];
  return fmt::format("{}: {}", bound.name, bound.op.explain(aic::PhasePoint::in_context(batch, s, prefix)));
}

std::string Worker::explain_generation(const StepPrice& failed, int64_t requests, int64_t s) const {
  const Bound& bound = generation_[failed.failed_op];
  const int64_t queries = requests * (deployment_.drafted_tokens + 1);
  return fmt::format("{}: {}", bound.name, bound.op.explain(aic::PhasePoint::in_generation(queries, s)));
}

std::string Worker::explain_mixed(const StepPrice& failed, const MixedStep& step) const {
  const MixedPoints p = mixed_points(step, deployment_.drafted_tokens);
  const Bound& bound = (failed.failed_in_context ? context_ : generation_)[failed.failed_op];
  const aic::PhasePoint at = !failed.failed_in_context ? p.decodes : bound.attention ? p.prompts : p.shared;
  return fmt::format("{}: {}", bound.name, bound.op.explain(at));
}

std::vector<aic::MoeCommFallback> Worker::comm_fallbacks() const {
  std::vector<aic::MoeCommFallback> found;
  for (const std::vector<Bound>* ops : {&context_, &generation_})
    for (const Bound& bound : *ops)
      if (const auto fallback = bound.op.comm_fallback())
        if (std::find(found.begin(), found.end(), *fallback) == found.end()) found.push_back(*fallback);
  return found;
}

}  // namespace perfatlas::estimate
