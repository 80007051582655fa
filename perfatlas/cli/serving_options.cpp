// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/serving_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/estimate/quantisation.h"
#include "perfatlas/store/layout.h"
#include "perfatlas/tables/import.h"

namespace perfatlas {

namespace {

constexpr std::string_view kDefaultWord = "default";

/// The longest text that starts a comma list and is an existing path, or the list's first entry.
std::string_view first_entry(std::string_view list) {
  std::error_code ignored;
  for (size_t end = list.size(); end != list.npos && end > 0; end = list.rfind(',', end - 1))
    if (std::filesystem::exists(trim(list.substr(0, end)), ignored)) return list.substr(0, end);
  return list.substr(0, list.find(','));
}

/// Entries of a comma list, without blanks around them.
std::vector<std::string> entries_of(std::string_view list) {
  std::vector<std::string> entries;
  while (!list.empty()) {
    const std::string_view entry = first_entry(list);
    if (!trim(entry).empty()) entries.emplace_back(trim(entry));
    list.remove_prefix(std::min(entry.size() + 1, list.size()));
  }
  return entries;
}

std::vector<std::string> default_sources() {
  const char* const variable = std::getenv("PERFATLAS_SYSTEMS");
  if (variable != nullptr && *variable != '\0') return entries_of(variable);
  std::error_code ignored;
  const std::string imported = published_folder();
  if (std::filesystem::exists(imported, ignored)) return {imported};
  return {};
}

}  // namespace

CLI::Option* add_systems_path_option(CLI::App& verb, std::string& systems_path, const std::string& what) {
  return verb
      .add_option("--systems-path,--systems-paths", systems_path,
                  what + ". Repeatable, or a comma list: earlier ones win, 'default' is what was imported")
      ->join(',');
}

std::vector<std::string> find_systems_sources(const std::string& flag) {
  if (flag.empty()) return default_sources();
  std::vector<std::string> sources;
  for (std::string& entry : entries_of(flag)) {
    if (entry != kDefaultWord) {
      sources.push_back(std::move(entry));
      continue;
    }
    const std::vector<std::string> others = default_sources();
    if (others.empty())
      throw UsageError(
          "--systems-path names 'default', but nothing was imported and PERFATLAS_SYSTEMS is not set; run "
          "perfatlas import, or name the wheel itself");
    sources.insert(sources.end(), others.begin(), others.end());
  }
  return sources;
}

std::vector<std::string> systems_sources(const std::string& flag) {
  std::vector<std::string> sources = find_systems_sources(flag);
  if (!sources.empty()) return sources;
  throw UsageError(
      "there are no published tables; give --systems-path (or PERFATLAS_SYSTEMS) the wheel that "
      "'pip download --no-deps aiconfigurator-core==0.12.0' fetches, or a folder with its content");
}

std::vector<std::string> sources_instead_of_placed(const std::string& systems_path, const std::string& data,
                                                   const std::string& system) {
  if (!systems_path.empty()) return find_systems_sources(systems_path);
  if (!data.empty()) return {};
  const std::string root = data_root();
  std::error_code ignored;
  const bool any_placed = system.empty()
                              ? std::filesystem::exists(root, ignored) && !list_table_folders(root).empty()
                              : std::filesystem::exists(root + "/" + system, ignored);
  return any_placed ? std::vector<std::string>() : default_sources();
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
  if (prefix != "d-")
    verb.add_option(names("cp", "cp-size"), cp, what + "GPUs that share the tokens of a prompt (sglang)");
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
  p.cp = cp.value_or(p.cp);
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
