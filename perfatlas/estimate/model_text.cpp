// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/model_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/op_weights.h"
#include "perfatlas/estimate/quantisation.h"

namespace perfatlas::estimate {
namespace {

constexpr double kGiB = double(int64_t(1) << 30);
constexpr int kBlackwell = 100;

Deployment deployment_of(const ServedModel& model, const ModelQuestion& q) {
  Deployment d;
  d.framework = q.framework;
  d.parallel = q.parallel;
  if (model.has_experts()) {
    if (!d.parallel.moe_tp && !d.parallel.moe_ep) d.parallel.moe_ep = d.parallel.attention_width();
    d.parallel = with_expert_widths(d.parallel);
  }
  d.drafted_tokens = q.drafted_tokens;
  d.sm_version = q.system != nullptr ? q.system->sm_version.value_or(0) : kBlackwell;
  if (q.system != nullptr) d.system = q.system->name;
  d.quant = resolve_quant(model, {.chosen = q.quant, .framework = q.framework, .sm_version = d.sm_version},
                          [](std::optional<aic::QuantMode>) { return std::vector<aic::QuantMode>(); });
  if (std::string why = model.why_not(d); !why.empty())
    throw UsageError(model.checkpoint().name + ": " + why);
  if (std::string why = model.why_unused(d.parallel); !why.empty())
    throw UsageError(model.checkpoint().name + ": " + why);
  return d;
}

/// Elements of the whole model: its weights on one rank in one-byte types.
double parameters_of(const ServedModel& model, Deployment whole) {
  whole.parallel = {};
  if (model.has_experts()) whole.parallel.moe_tp = whole.parallel.moe_ep = 1;
  whole.quant = {};
  whole.quant.gemm_is_explicit = true;  // one type everywhere, whatever the checkpoint mixes
  double bytes = 0;
  for (const aic::Op& op : model.graph(whole).context) bytes += weight_bytes(op);
  return bytes / aic::profile_of(aic::QuantMode::bfloat16).bytes;
}

std::string fields_text(const OpText& op) {
  std::string text;
  for (const auto& [name, value] : op.fields)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  return text;
}

void print_ops(std::string& out, const std::vector<OpText>& ops, int indent) {
  for (const OpText& op : ops) {
    const std::string name = std::string(size_t(indent), ' ') + op.name;
    const std::string count = op.first.empty() ? fmt::format("{:g}", op.count) : "";
    out += fmt::format("  {:<44} {:>6}  {:>9.3f}  {} {}\n", name, count, op.weight_bytes / kGiB, op.kind,
                       fields_text(op));
    print_ops(out, op.first, indent + 2);
    if (!op.second.empty())
      out += fmt::format("  {}{}\n", std::string(size_t(indent), ' '), "beside or instead:");
    print_ops(out, op.second, indent + 2);
  }
}

nlohmann::json ops_json(const std::vector<OpText>& ops) {
  nlohmann::json list = nlohmann::json::array();
  for (const OpText& op : ops) {
    nlohmann::json entry = {
        {"name", op.name}, {"kind", op.kind}, {"count", op.count}, {"weight_bytes", op.weight_bytes}};
    for (const auto& [name, value] : op.fields) entry["fields"][std::string(name)] = value;
    if (!op.first.empty()) entry["first"] = ops_json(op.first);
    if (!op.second.empty()) entry["second"] = ops_json(op.second);
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

ModelReport report_model(const ServedModel& model, const ModelQuestion& question) {
  ModelReport r;
  r.name = model.checkpoint().name;
  r.architecture = model.checkpoint().architecture();
  r.family = model.family();
  r.sizes = model.sizes();
  r.deployment = deployment_of(model, question);
  r.parameters = parameters_of(model, r.deployment);
  const StepGraph graph = model.graph(r.deployment);
  for (const aic::Op& op : graph.context) {
    r.context.push_back(op_text(op));
    r.weight_bytes += weight_bytes(op);
  }
  r.weight_bytes /= double(r.deployment.parallel.pp);
  for (const aic::Op& op : graph.generation) r.generation.push_back(op_text(op));
  r.state_bytes = model.kv_bytes_per_sequence(r.deployment, 0);
  r.kv_bytes_per_token =
      (model.kv_bytes_per_sequence(r.deployment, kKvProbeTokens) - r.state_bytes) / double(kKvProbeTokens);
  return r;
}

std::string model_text(const ModelReport& r) {
  const ModelSizes& s = r.sizes;
  const Deployment& d = r.deployment;
  std::string out = fmt::format("{} ({}, family {})\n", r.name, r.architecture, name_of(r.family));
  out += fmt::format("layers {}  hidden {}  heads {}  kv heads {}  head dim {}  vocabulary {}  context {}\n",
                     s.layers, s.hidden, s.heads, s.kv_heads, s.head_dim, s.vocab, s.max_context);
  if (s.experts > 0)
    out += fmt::format("experts {}  per token {}  width {}\n", s.experts, s.topk, s.expert_inter);
  out += fmt::format("{:.2f} billion parameters in the ops below\n\n", r.parameters / 1e9);
  out += fmt::format("one rank of {} with {}: gemm {}, moe {}, kv {}, fmha {}\n", d.parallel.label(),
                     name_of(d.framework), name_of(d.quant.gemm), name_of(d.quant.moe), name_of(d.quant.kv),
                     name_of(d.quant.fmha));
  out += fmt::format("weights {:.3f} GiB, KV cache {:.0f} bytes per token (at {} tokens)",
                     r.weight_bytes / kGiB, r.kv_bytes_per_token, kKvProbeTokens);
  if (r.state_bytes > 0) out += fmt::format(" and {:.0f} bytes per request", r.state_bytes);
  out += "\n";
  for (const auto& [title, ops] : {std::pair{"prefill step", &r.context}, {"decode step", &r.generation}}) {
    out += fmt::format("\n{:<46} {:>6}  {:>9}  op\n", title, "count", "GiB");
    print_ops(out, *ops, 0);
  }
  return out;
}

nlohmann::json model_json(const ModelReport& r) {
  const ModelSizes& s = r.sizes;
  const Deployment& d = r.deployment;
  return {{"model", r.name},
          {"architecture", r.architecture},
          {"family", name_of(r.family)},
          {"layers", s.layers},
          {"hidden_size", s.hidden},
          {"num_attention_heads", s.heads},
          {"num_key_value_heads", s.kv_heads},
          {"head_dim", s.head_dim},
          {"vocab_size", s.vocab},
          {"max_position_embeddings", s.max_context},
          {"num_experts", s.experts},
          {"num_experts_per_tok", s.topk},
          {"moe_intermediate_size", s.expert_inter},
          {"parameters", r.parameters},
          {"parallel", d.parallel.label()},
          {"backend", name_of(d.framework)},
          {"gemm", name_of(d.quant.gemm)},
          {"moe", name_of(d.quant.moe)},
          {"kvcache", name_of(d.quant.kv)},
          {"fmha", name_of(d.quant.fmha)},
          {"weight_bytes", r.weight_bytes},
          {"kv_bytes_per_token", r.kv_bytes_per_token},
          {"state_bytes_per_request", r.state_bytes},
          {"context_ops", ops_json(r.context)},
          {"generation_ops", ops_json(r.generation)}};
}

}  // namespace perfatlas::estimate
