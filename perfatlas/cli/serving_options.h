// SPDX-License-Identifier: Apache-2.0
// Flags that every verb about serving a model has: where the published tables are, how a worker is split and quantised.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/estimate/deployment.h"

namespace perfatlas {

/// --systems-path, also spelled --systems-paths. `what`: its help, which then says that it may be a list. Given several
/// times, `systems_path` is the comma list of all.
CLI::Option* add_systems_path_option(CLI::App& verb, std::string& systems_path, const std::string& what);

/// The published tables, in order of precedence: the comma list of --systems-path, in which `default` stands for those
/// without that flag: the comma list of PERFATLAS_SYSTEMS, else what `perfatlas import` has left. Where a piece of the
/// list with commas in it is an existing path, that is meant. Empty where there are none. Throws UsageError when
/// `default` stands for nothing.
std::vector<std::string> find_systems_sources(const std::string& flag);

/// The same. Throws UsageError that says how to get some.
std::vector<std::string> systems_sources(const std::string& flag);

/// Of verbs that read placed tables, too: the published ones that are asked, in order of precedence; empty: placed ones
/// are. Without --systems-path these are asked unless --data is not given, the data folder has nothing of `system`
/// (empty: nothing at all), and published ones are found. Throws as find_systems_sources.
std::vector<std::string> sources_instead_of_placed(const std::string& systems_path, const std::string& data,
                                                   const std::string& system);

/// How long flag names spell a worker kind: "prefill-" for "p-", "decode-" for "d-", else nothing.
std::string long_prefix(const std::string& prefix);

/// --tp, --pp, --dp, --cp (not of decode workers), --etp, --ep, with `prefix` ("p-") and aiconfigurator's aliases.
struct ParallelFlags {
  std::optional<int64_t> tp, pp, dp, cp, moe_tp, moe_ep;

  void add_to(CLI::App& verb, const std::string& prefix, const std::string& what);
  /// What is not given is as in `otherwise`.
  estimate::Parallel widths(const estimate::Parallel& otherwise = {}) const;
};

/// --gemm-quant-mode and its like.
struct QuantFlags {
  std::string gemm, moe, kv, fmha, comm;

  void add_to(CLI::App& verb);
  /// Throws UsageError for an unknown mode.
  estimate::QuantChoice choice() const;
};

}  // namespace perfatlas
