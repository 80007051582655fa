// SPDX-License-Identifier: Apache-2.0
// perfatlas probe: describes this machine and measures its peaks.
#include <fmt/format.h>

#include "perfatlas/cli/measure_options.h"
#include "perfatlas/cli/system_file.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/hw/machine_text.h"

namespace perfatlas {
namespace {

struct ProbeArguments {
  SystemFileRequest request;
  std::string out;
  std::string system;
  bool json = false;
};

int run_probe(ProbeArguments a) {
  if (a.request.device.empty()) a.request.device = default_devices(a.request.backend).front();
  SystemSpec spec =
      probe_system(a.request, 30, [](const std::string& line) { fmt::print(stderr, "{}\n", line); });
  if (!a.system.empty()) spec.system = a.system;
  if (!a.out.empty()) write_system_spec(spec, a.out);
  fmt::print("{}", a.json ? system_spec_json(spec) : system_spec_text(spec));
  if (!a.out.empty()) fmt::print(stderr, "written to {}\n", a.out);
  return kDone;
}

}  // namespace

void add_probe(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("probe", "Describe this machine and measure its peaks (under a minute)");
  const auto a = std::make_shared<ProbeArguments>();
  a->request.backend = "onednn";
  verb->add_option("--out", a->out, "Write the system description to this file");
  verb->add_option("--backend", a->request.backend, "Whose device to measure: onednn, ggml, cuda")
      ->capture_default_str();
  verb->add_option("--device,--devices", a->request.device, "Core set or GPU; default: all cores, GPU 0");
  verb->add_option("--system", a->system, "System name instead of the one suggested from the hardware");
  verb->add_flag("--no-measure", a->request.no_probe, "Facts only, no peaks");
  verb->add_flag("--json", a->json, "Print the description as JSON");
  verb->footer("Example: perfatlas probe --out system.json");
  verb->callback([&invocation, a] { invocation.action = [a] { return run_probe(*a); }; });
}

}  // namespace perfatlas
