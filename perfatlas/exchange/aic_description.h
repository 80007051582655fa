// SPDX-License-Identifier: Apache-2.0
// Our description of a machine as aiconfigurator writes one.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "perfatlas/exchange/aic_links.h"
#include "perfatlas/hw/system_spec.h"
#include "perfatlas/tables/aic_system.h"

namespace perfatlas {

/// What neither a probe nor a table knows, as a user gives it. Absent: not given.
struct AicDescriptionGiven {
  std::optional<int> gpus_per_node;                             // devices of the machine that form one node
  std::optional<double> intra_node_bw, inter_node_bw, pcie_bw;  // byte/s per device and direction
  std::optional<double> p2p_latency_s;
  std::optional<double> mem_constant_latency_s;  // of an op that only moves memory
  std::map<int, double> nccl_mem;                // devices -> byte that the collective library takes
  std::optional<double> other_mem;               // byte that the runtime takes
  std::optional<double> power_w;
};

/// A description and where its figures come from.
struct AicDescription {
  AicSystem system;
  std::map<std::string, std::string> origins;  // "gpu.mem_bw" -> "measured by probe"
};

/// Peaks are Figure::best; of a measured memory bandwidth the scaling factor is 1, because nothing is left to correct.
/// Links: what is given, else what was measured. Throws UsageError naming the option that is missing where
/// aiconfigurator needs a figure that neither source has; Error where the probe has to be repeated.
/// `comm_version` is the version folder of the collective library's tables; empty: there are none.
AicDescription describe_for_aic(const SystemSpec& spec, const MeasuredLinks& links,
                                const AicDescriptionGiven& given, const std::string& comm_version);

/// The text of the file: what parse_aic_system reads back, each figure with its origin as a comment.
std::string aic_description_yaml(const AicDescription& description);

}  // namespace perfatlas
