// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/collection_impl.h"
#include "perfatlas/collect/wall_clock.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

constexpr double kPhysicalShare = 0.85;  // of memory that all workers together may hold

double physical_bytes() { return double(::sysconf(_SC_PHYS_PAGES)) * double(::sysconf(_SC_PAGESIZE)); }

std::map<std::string, std::string> options_as_text(const MeasureOptions& o) {
  return {{"cache", std::string(name_of(o.cache))},
          {"kernel", o.kernel},
          {"warmups", std::to_string(o.warmups)},
          {"min_sample_ms", format_real(o.min_sample_ms)},
          {"max_noise", format_real(o.stopping.max_noise)},
          {"min_samples", std::to_string(o.stopping.min_samples)},
          {"max_samples", std::to_string(o.stopping.max_samples)},
          {"max_time_s", format_real(o.stopping.max_time_s)},
          {"energy", o.measure_energy ? "true" : "false"},
          {"seed", std::to_string(o.seed)}};
}

}  // namespace

void Collection::start_worker(Slot& slot) {
  std::vector<std::string> command = command_;
  for (std::string& word : command)
    if (const size_t at = word.find("{device}"); at != word.npos) word.replace(at, 8, slot.device);
  summary_.respawns += slot.started > 0;
  ++slot.started;
  slot.greeted = false;
  slot.served = 0;
  slot.worker = std::make_unique<WorkerClient>(std::move(command), options_.folder + "/" + slot.log_name);
  slot.request_start = Clock::now();
  slot.allowed_s = options_.hello_deadline_s;
  if (const auto loss = slot.worker->ask(HelloRequest{})) on_loss(slot, *loss);
}

void Collection::retire_worker(Slot& slot) {
  if (slot.worker) slot.worker->retire();
  slot.worker.reset();
}

void Collection::greet(Slot& slot, const HelloAnswer& hello) {
  if (hello.protocol != kProtocolVersion)
    throw Error(fmt::format(
        "worker {} speaks protocol version {}, this perfatlas speaks {}; build both from one source",
        command_[0], hello.protocol, kProtocolVersion));
  const auto version = hello.backends.find(options_.backend);
  if (version == hello.backends.end()) {
    std::vector<std::string_view> known;
    for (const auto& [name, unused] : hello.backends) known.push_back(name);
    throw UsageError(fmt::format("worker {} has no back end '{}'; it has {}", command_[0], options_.backend,
                                 known.empty() ? "none" : join_words(known)));
  }
  if (!valid_folder_name(version->second))
    throw Error(
        fmt::format("worker {} gives its back end {} the version '{}', which cannot name the folder of its "
                    "tables; mend the worker",
                    command_[0], options_.backend, version->second));
  slot.greeted = true;
  if (hello.wants_operands && !slot.operands) slot.operands = std::make_unique<RemoteOperands>();
  slot.deaths_in_a_row = 0;
  if (recorder_.begun()) {
    if (context_.device_name != hello.device.name || context_.backend_version != version->second)
      throw Error(fmt::format(
          "device {} is a {} with {} {}, but this run began on a {} with {}; use one run per kind "
          "of device",
          slot.device, hello.device.name, options_.backend, version->second, context_.device_name,
          context_.backend_version));
    return;
  }
  context_.backend_version = version->second;
  context_.device_name = hello.device.name;
  recorder_.begin(run_record(hello));
}

RunRecord Collection::run_record(const HelloAnswer& hello) const {
  RunRecord r;
  r.run_id = context_.run_id;
  r.command = options_.command_line;
  r.tool_version = options_.tool_version;
  r.date = utc_now();
  r.host = host_name();
  r.plan_hash = plan_.hash();
  r.plan_cases = plan_.planned();
  r.plan_total = plan_.total();
  r.plan_kind = name_of(plan_.kind());
  r.shard = format_shard(plan_.shard());
  r.backend = options_.backend;
  r.backend_version = context_.backend_version;
  r.worker = hello.worker;
  r.device_id = hello.device.id;
  r.device_name = hello.device.name;
  r.device_memory_bytes = hello.device.memory_bytes;
  r.device_llc_bytes = hello.device.llc_bytes;
  r.versions = hello.device.versions;
  if (options_.system) r.system_json = system_spec_json(*options_.system);
  r.options = options_as_text(options_.measure);
  return r;
}

/// A worker that leaves by itself before it has said hello will do so again; one that was killed may not.
void Collection::check_start_failure(Slot& slot, const WorkerLoss& loss) {
  ++slot.deaths_in_a_row;
  const bool by_itself = loss.outcome == Outcome::crashed && loss.status.code.has_value();
  if (!by_itself && loss.outcome == Outcome::crashed &&
      slot.deaths_in_a_row <= options_.retry.respawns_in_a_row)
    return;
  const std::string text = fmt::format("the worker for device {} does not start: {}; its log is {}/{}",
                                       slot.device, loss.reason, options_.folder, slot.log_name);
  // A worker ends with 2 when it was called wrongly: an unknown device, a bad option.
  if (loss.status.code == 2) throw UsageError(text);
  throw Error(text);
}

void Collection::limit_memory(Slot& slot) {
  const double limit =
      options_.worker_memory_bytes.value_or(kPhysicalShare * physical_bytes() / double(slots_.size()));
  const auto bytes = slot.worker->resident_bytes();
  if (!bytes || *bytes <= limit) return;
  observer_.on_event(fmt::format("the worker for device {} had grown to {:.1f} GiB and was replaced",
                                 slot.device, *bytes / double(1 << 30)));
  retire_worker(slot);
}

}  // namespace perfatlas
