// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/serving_options.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/quantisation.h"
#include "perfatlas/tables/import.h"

namespace perfatlas {

std::optional<std::string> find_systems_source(const std::string& flag) {
  if (!flag.empty()) return flag;
  const char* variable = std::getenv("PERFATLAS_SYSTEMS");
  if (variable != nullptr && *variable != '\0') return variable;
  std::error_code ignored;
  const std::string imported = published_folder();
  if (std::filesystem::exists(imported, ignored)) return imported;
  return std::nullopt;
}

std::string systems_source(const std::string& flag) {
  if (auto found = find_systems_source(flag)) return *found;
  throw UsageError(
      "there are no published tables; give --systems-path (or PERFATLAS_SYSTEMS) the wheel that "
      "'pip download --no-deps aiconfigurator-core==0.12.0' fetches, or a folder with its content");
}

std::string long_prefix(const std::string& prefix) {
  return prefix == "p-" ? "prefill-" : prefix == "d-" ? "decode-" : "";
}

void ParallelFlags::add_to(CLI::App& verb, const std::string& prefix, const std::string& what) {
  const auto names = [&](const char* name, const char* alias) {
    return fmt::format("--{}{},--{}{}", prefix, name, long_prefix(prefix), alias);
  };
  verb.add_option(names("tp", "tp-size"), tp, what + "GPUs that share attention heads and dense layers");
  verb.add_option(names("pp", "pp-size"), pp, what + "pipeline stages");
  verb.add_option(names("dp", "attention-dp-size"), dp, what + "attention replicas that share the experts");
  verb.add_option(names("etp", "moe-tp-size"), moe_tp,
                  what + "GPUs that share every expert; default: from the others");
  verb.add_option(names("ep", "moe-ep-size"), moe_ep,
                  what + "GPUs that experts are spread over; default: from the others");
}

estimate::Parallel ParallelFlags::widths(const estimate::Parallel& otherwise) const {
  estimate::Parallel p = otherwise;
  p.tp = tp.value_or(p.tp);
  p.pp = pp.value_or(p.pp);
  p.dp = dp.value_or(p.dp);
  if (moe_tp) p.moe_tp = moe_tp;
  if (moe_ep) p.moe_ep = moe_ep;
  return p;
}

void QuantFlags::add_to(CLI::App& verb) {
  verb.add_option("--gemm-quant-mode", gemm, "Type of linear layers; default: the checkpoint's");
  verb.add_option("--moe-quant-mode", moe, "Type of experts; default: the checkpoint's");
  verb.add_option("--kvcache-quant-mode", kv, "Type of the KV cache; default: the checkpoint's");
  verb.add_option("--fmha-quant-mode", fmha,
                  "Type that prefill attention computes in; default: the checkpoint's");
  verb.add_option("--comm-quant-mode", comm, "Type that collectives send; default: half");
}

estimate::QuantChoice QuantFlags::choice() const {
  estimate::QuantChoice choice;
  if (!gemm.empty()) choice.gemm = estimate::gemm_mode_from_name(gemm);
  if (!moe.empty()) choice.moe = estimate::moe_mode_from_name(moe);
  if (!kv.empty()) choice.kv = estimate::kv_mode_from_name(kv);
  if (!fmha.empty()) choice.fmha = estimate::fmha_mode_from_name(fmha);
  if (!comm.empty()) choice.comm = estimate::comm_mode_from_name(comm);
  return choice;
}

}  // namespace perfatlas
