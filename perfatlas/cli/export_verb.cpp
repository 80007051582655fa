// SPDX-License-Identifier: Apache-2.0
// perfatlas export: placed tables for other programs.
#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/exchange/aic_export.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

struct ExportArguments {
  AicExportRequest request;
  std::string format, data, cache, nccl_mem;
  bool json = false;
};

/// "1:0,2:358612992": devices and byte.
std::map<int, double> nccl_mem_from(const std::string& text) {
  std::map<int, double> memory;
  if (text.empty()) return memory;
  for (const std::string_view entry : split(text, ',')) {
    const std::vector<std::string_view> parts = split(entry, ':');
    const int64_t devices = parts.size() == 2 ? parse_integer(parts[0]).value_or(0) : 0;
    const double bytes = parts.size() == 2 ? parse_real(parts[1]).value_or(-1) : -1;
    if (devices < 1 || bytes < 0)
      throw UsageError(fmt::format("--nccl-mem '{}' is no list of devices:bytes like 1:0,2:358612992", text));
    memory[int(devices)] = bytes;
  }
  return memory;
}

int run_export(ExportArguments a, const OpRegistry& ops) {
  if (a.format != "aiconfigurator")
    throw UsageError(fmt::format("--format '{}' is not known; aiconfigurator is", a.format));
  if (!a.cache.empty()) {
    const auto state = from_name<CacheState>(a.cache);
    if (!state) throw UsageError(fmt::format("--cache '{}' is none of serving, hot and cold", a.cache));
    a.request.rules.cache_state = *state;
  }
  a.request.data_root = data_root(a.data);
  a.request.given.nccl_mem = nccl_mem_from(a.nccl_mem);
  const AicExportReport report = export_for_aic(ops, a.request);
  if (a.json)
    fmt::print("{}\n", report.json());
  else
    fmt::print("{}", report.text());
  return kDone;
}

void add_rows_options(CLI::App& verb, ExportArguments& a) {
  verb.add_option("--cache", a.cache, "Cache state of the rows; default: serving")->group("Which rows");
  verb.add_option("--kernel", a.request.rules.kernel,
                  "Kernel (kernel_source); default: the fastest of each key")
      ->group("Which rows");
}

void add_description_options(CLI::App& verb, AicDescriptionGiven& given) {
  const char* const group = "What the probe does not know";
  const auto positive = CLI::PositiveNumber;
  verb.add_option("--gpus-per-node", given.gpus_per_node, "Devices that form one node")
      ->check(positive)
      ->group(group);
  verb.add_option("--intra-node-bw", given.intra_node_bw,
                  "Byte/s of a device to others of its node; default: of the largest message measured")
      ->check(positive)
      ->group(group);
  verb.add_option("--inter-node-bw", given.inter_node_bw, "Byte/s of a device to other nodes")
      ->check(positive)
      ->group(group);
  verb.add_option("--pcie-bw", given.pcie_bw, "Byte/s of the host link")->check(positive)->group(group);
  verb.add_option("--p2p-latency", given.p2p_latency_s,
                  "Seconds of a message; default: of the smallest one measured")
      ->check(positive)
      ->group(group);
  verb.add_option("--op-latency", given.mem_constant_latency_s,
                  "Seconds that an op takes beside moving memory")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
  verb.add_option("--other-mem", given.other_mem, "Byte of a device that the runtime takes")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
  verb.add_option("--power", given.power_w, "Watts of a device; default: the probed limit")
      ->check(positive)
      ->group(group);
}

}  // namespace

void add_export(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("export", "Placed tables and descriptions for other programs");
  const auto a = std::make_shared<ExportArguments>();
  verb->add_option("--format", a->format, "aiconfigurator: a folder for its option --systems-paths")
      ->required();
  verb->add_option("--system", a->request.system, "System of the data folder")->required();
  verb->add_option("--as-backend", a->request.as_backend,
                   "vllm, sglang or trtllm: what the tables stand in for")
      ->required();
  verb->add_option("--as-version", a->request.as_version,
                   "Its version; one that aiconfigurator lists, e.g. 0.24.0 of vllm")
      ->required();
  verb->add_option("--out", a->request.out, "Folder to write to")->required();
  verb->add_option("--data", a->data, "Data folder; default: PERFATLAS_DATA, else the user's data folder");
  verb->add_option("--backend", a->request.backends,
                   "Whose tables; may be repeated; needed where two back ends have the same table");
  verb->add_flag("--json", a->json, "For machines");
  add_rows_options(*verb, *a);
  add_description_options(*verb, a->request.given);
  verb->add_option("--nccl-mem", a->nccl_mem, "Byte that collectives take, by devices: 1:0,2:358612992")
      ->group("What the probe does not know");
  verb->footer(
      "Examples:\n"
      "  perfatlas export --format aiconfigurator --as-backend vllm --as-version 0.24.0 --system my_xeon \\\n"
      "    --data tables --out systems --gpus-per-node 2 --inter-node-bw 1.25e9 \\\n"
      "    --other-mem 0 --nccl-mem 1:0,2:0\n"
      "  aiconfigurator cli default --model-path Qwen/Qwen3-0.6B --system my_xeon --backend vllm \\\n"
      "    --total-gpus 2 --systems-paths default,systems\n"
      "Every row that is left out is counted with its reason. A figure that is neither probed, measured nor "
      "given\n"
      "is not written; where aiconfigurator needs it, the option is named.");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_export(*a, invocation.ops); }; });
}

}  // namespace perfatlas
