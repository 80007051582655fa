// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/system_file.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/measure_options.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/hw/machine_probe.h"
#include "perfatlas/hw/measured_peaks.h"

namespace perfatlas {
namespace {

constexpr double kProbeDeadlineSeconds = 300;
constexpr double kCollectionProbeSeconds = 15;  // budget of the probe that a collection starts with

/// The description of the device that the back end runs on.
SystemSpec described(const std::string& backend, const std::string& device) {
  MachineDescription machine = describe_machine();
  if (backend != "cuda" && backend != "nccl") return machine.cpu;
  const std::string_view number = device.starts_with("cuda:") ? std::string_view(device).substr(5) : device;
  const size_t index = size_t(parse_integer(number).value_or(0));
  if (index >= machine.gpus.size())
    throw Error(fmt::format("there is no GPU '{}': the driver lists {} GPUs{}", device, machine.gpus.size(),
                            machine.notes.empty() ? "" : " (" + machine.notes.back() + ")"));
  return machine.gpus[index];
}

/// The back end whose worker measures the peaks of the device: workers in Python leave that to the one beside them.
std::string peak_backend(const std::string& backend) { return backend == "vllm_cpu" ? "onednn" : backend; }

bool measures_links(const std::string& backend) { return backend == "mpi" || backend == "nccl"; }

}  // namespace

SystemSpec probe_system(const SystemFileRequest& request, double budget_s,
                        const std::function<void(const std::string&)>& say) {
  SystemSpec spec = described(request.backend, request.device);
  if (request.no_probe) return spec;
  if (measures_links(request.backend)) {
    say(fmt::format(
        "back end {} measures links, no peaks: rows have no efficiency; --system-file of a probe by "
        "another back end gives them one",
        request.backend));
    return spec;
  }
  say(fmt::format("measuring the peaks of this machine (about {})", format_duration(budget_s)));
  WorkerSession worker(peak_backend(request.backend), request.device, request.worker_command);
  const WorkerAnswer answer = worker.ask(ProbeRequest{budget_s}, kProbeDeadlineSeconds);
  if (const auto* failed = std::get_if<FailedAnswer>(&answer)) throw Error("probe: " + failed->error);
  if (const auto* skipped = std::get_if<SkippedAnswer>(&answer)) {
    say("no peaks: " + skipped->reason);
    return spec;
  }
  const auto* probed = std::get_if<ProbeAnswer>(&answer);
  if (probed == nullptr) throw Error("probe: the worker answered with something else");
  spec = merge(spec, *probed);
  for (const auto& [name, version] : worker.hello().device.versions) spec.versions.emplace(name, version);
  for (const auto& [name, version] : worker.hello().backends) spec.versions.emplace(name, version);
  return spec;
}

std::optional<SystemSpec> system_for_collection(const SystemFileRequest& request,
                                                const std::function<void(const std::string&)>& say) {
  const std::string own = request.folder + "/system.json";
  if (!request.given.empty()) {
    SystemSpec spec = read_system_spec(request.given);
    make_writable_folder(request.folder);
    write_system_spec(spec, own);
    return spec;
  }
  if (file_exists(own)) return read_system_spec(own);
  if (request.no_probe) return std::nullopt;
  make_writable_folder(request.folder);
  const SystemSpec spec = probe_system(request, kCollectionProbeSeconds, say);
  write_system_spec(spec, own);
  return spec;
}

}  // namespace perfatlas
