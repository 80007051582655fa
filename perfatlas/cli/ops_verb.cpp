// SPDX-License-Identifier: Apache-2.0
// perfatlas ops [OP]: what can be measured, and what an op is.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/cli/kernel_list.h"
#include "perfatlas/cli/op_text.h"
#include "perfatlas/cli/verb.h"

namespace perfatlas {
namespace {

struct OpsArguments {
  std::string op;
  bool json = false;
};

nlohmann::json kernels_json(const std::vector<KernelStatus>& kernels) {
  auto list = nlohmann::json::array();
  for (const KernelStatus& k : kernels)
    list.push_back({{"backend", k.backend},
                    {"kernel", k.kernel},
                    {"runs_here", k.reason.empty()},
                    {"seen_on_hardware", seen_on_hardware(k.backend)},
                    {"reason", k.reason}});
  return list;
}

int show_one(const OpType& op, bool json) {
  const std::vector<KernelStatus> kernels = kernels_here({&op, op.defaults()});
  if (json) {
    auto out = op_json(op);
    out["kernels"] = kernels_json(kernels);
    fmt::print("{}\n", out.dump(2));
    return kDone;
  }
  fmt::print("{}\nKernels:\n", op_text(op));
  for (const KernelStatus& k : kernels)
    fmt::print("  {:10} {:34} {}\n", k.backend, k.kernel, k.reason.empty() ? "runs here" : k.reason);
  if (std::any_of(kernels.begin(), kernels.end(),
                  [](const KernelStatus& k) { return !seen_on_hardware(k.backend); }))
    fmt::print("cuda and nccl: compiled and tested on stand-ins, not run on a GPU before this release.\n");
  if (kernels.empty()) fmt::print("  none in this build: an imported table\n");
  return kDone;
}

int show_all(const OpRegistry& ops, bool json) {
  auto list = nlohmann::json::array();
  for (const auto& op : ops.ops()) {
    if (json)
      list.push_back(op_json(*op));
    else
      fmt::print("{:35} {}\n", op->info.id, op->info.doc);
  }
  if (json)
    fmt::print("{}\n", list.dump(2));
  else
    fmt::print("\nOne op with its fields, axes, speed of light and kernels: perfatlas ops OP\n");
  return kDone;
}

}  // namespace

void add_ops(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("ops", "List the ops, or show one: fields, axis decision, kernels");
  const auto arguments = std::make_shared<OpsArguments>();
  verb->add_option("op", arguments->op, "Op to show");
  verb->add_flag("--json", arguments->json, "For machines");
  verb->callback([&invocation, arguments] {
    invocation.action = [&invocation, arguments] {
      if (arguments->op.empty()) return show_all(invocation.ops, arguments->json);
      return show_one(invocation.ops.get(arguments->op), arguments->json);
    };
  });
}

}  // namespace perfatlas
