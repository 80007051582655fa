// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/request_json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas::estimate {
namespace {

using nlohmann::json;

/// Reads keys and remembers them, so that the ones nobody asked for are found.
class Keys {
 public:
  explicit Keys(const json& object) : object_(object) {
    if (!object.is_object())
      throw UsageError("a request is a JSON object: {\"model_path\": ..., \"system_name\": ...}");
  }

  const json* find(const std::string& key) {
    known_.insert(key);
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }
  std::string text(const std::string& key, const std::string& otherwise = {}) {
    const json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_number_integer()) return value->dump();
    if (!value->is_string()) throw UsageError(fmt::format("'{}' is {}, expected a text", key, value->dump()));
    return value->get<std::string>();
  }
  std::optional<int64_t> integer(const std::string& key) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer())
      throw UsageError(fmt::format("'{}' is {}, expected an integer", key, value->dump()));
    return value->get<int64_t>();
  }
  std::optional<double> real(const std::string& key) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number())
      throw UsageError(fmt::format("'{}' is {}, expected a number", key, value->dump()));
    return value->get<double>();
  }
  void refuse_others() const {
    for (const auto& [key, value] : object_.items())
      if (!known_.contains(key)) {
        const std::vector<std::string_view> known(known_.begin(), known_.end());
        throw UsageError(fmt::format("'{}' is no key of a request; known: {}", key, join_words(known)));
      }
  }

 private:
  const json& object_;
  std::set<std::string> known_;
};

Pool read_pool(Keys& keys, const std::string& prefix, const Pool& otherwise) {
  Pool pool = otherwise;
  Parallel& p = pool.parallel;
  p.tp = keys.integer(prefix + "tp_size").value_or(p.tp);
  p.pp = keys.integer(prefix + "pp_size").value_or(p.pp);
  p.dp = keys.integer(prefix + "attention_dp_size").value_or(p.dp);
  p.cp = prefix == "decode_" ? 1 : keys.integer(prefix + "cp_size").value_or(p.cp);  // decode has no prompts
  if (const auto width = keys.integer(prefix + "moe_tp_size")) p.moe_tp = width;
  if (const auto width = keys.integer(prefix + "moe_ep_size")) p.moe_ep = width;
  pool.batch = keys.integer(prefix + "batch_size");
  if (!prefix.empty()) pool.workers = keys.integer(prefix + "num_workers");
  if (const auto fraction = keys.real(prefix + "free_gpu_memory_fraction")) pool.limits.fraction = fraction;
  if (const auto length = keys.integer(prefix + "max_seq_len")) pool.limits.max_seq_len = length;
  return pool;
}

QuantChoice read_quant(Keys& keys) {
  QuantChoice quant;
  const auto read = [&](const char* key, std::optional<aic::QuantMode>& mode, auto from_name) {
    if (const std::string name = keys.text(key); !name.empty()) mode = from_name(name);
  };
  read("gemm_quant_mode", quant.gemm, &gemm_mode_from_name);
  read("moe_quant_mode", quant.moe, &moe_mode_from_name);
  read("kvcache_quant_mode", quant.kv, &kv_mode_from_name);
  read("fmha_quant_mode", quant.fmha, &fmha_mode_from_name);
  read("comm_quant_mode", quant.comm, &comm_mode_from_name);
  return quant;
}

}  // namespace

int64_t drafted_tokens_from_text(const std::string& text, const ServedModel& model) {
  if (text == "auto") return model.checkpoint().config.integer_or("num_nextn_predict_layers", 0);
  const auto number = parse_integer(text);
  if (!number || *number < 0)
    throw UsageError(fmt::format("--nextn '{}' is neither 'auto' nor a number of at least 0", text));
  return *number;
}

double accepted_tokens(int64_t drafted, std::optional<double> said) {
  if (drafted == 0) return 0;
  if (!said)
    throw UsageError("--nextn needs --nextn-accepted: how many drafted tokens hold per step, on average");
  return *said;
}

aic::Mode database_mode_from_name(const std::string& name) {
  const auto mode = aic::mode_from_name(name);
  if (!mode || *mode == aic::Mode::sol_full)
    throw UsageError(
        fmt::format("--database-mode '{}' is unknown; known: SILICON, HYBRID, EMPIRICAL and SOL", name));
  return *mode;
}

EstimateRequest request_from_json(const json& object, Session& session) {
  Keys keys(object);
  EstimateRequest r;
  r.model = keys.text("model_path");
  r.system = keys.text("system_name");
  if (r.model.empty() || r.system.empty()) throw UsageError("a request needs model_path and system_name");
  r.decode_system = keys.text("decode_system_name");
  r.framework = framework_from_name(keys.text("backend_name", "trtllm"));
  r.version = keys.text("backend_version");
  r.mode = serving_mode_from_name(keys.text("mode", "agg"));
  r.view.mode = database_mode_from_name(keys.text("database_mode", "SILICON"));
  r.view.transfers = aic::TransferPolicy::from_text(keys.text("transfer_policy", "default"));
  r.workload.isl = keys.integer("isl").value_or(1024);
  r.workload.osl = keys.integer("osl").value_or(1024);
  r.workload.prefix = keys.integer("prefix").value_or(0);
  r.drafted_tokens = drafted_tokens_from_text(keys.text("nextn", "0"), *session.model(r.model));
  r.workload.accepted = accepted_tokens(r.drafted_tokens, keys.real("nextn_accepted"));
  r.context_tokens = keys.integer("ctx_tokens");
  r.stride = keys.integer("stride").value_or(32);
  r.attention_backend = keys.text("attention_backend");
  r.moe_backend = keys.text("moe_backend");
  r.quant = read_quant(keys);
  r.worker = read_pool(keys, "", {});
  const bool disagg = r.mode == ServingMode::disaggregated;
  r.prefill = read_pool(keys, "prefill_", r.worker);
  r.decode = read_pool(keys, "decode_", r.worker);
  if (!r.worker.batch && !disagg) r.worker.batch = kDefaultBatch;
  keys.refuse_others();
  return r;
}

}  // namespace perfatlas::estimate
