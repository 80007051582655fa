// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/serve.h"

#include <fmt/format.h>

#include <exception>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/harness_step.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

bool same_setup(const CaseSetup& a, const CaseSetup& b) {
  return a.what == b.what && a.kernel == b.kernel && a.cache == b.cache && a.seed == b.seed;
}

SamplingOptions options_of(const SampleRequest& request) {
  return {.warmups = request.warmups,
          .repetitions = request.repetitions,
          .min_sample_ms = request.min_sample_ms,
          .max_total_ms = request.max_total_ms,
          .allow_graph_fail = request.allow_graph_fail,
          .measure_energy = request.measure_energy};
}

void add(CheckAnswer& answer, const HarnessCheck& check) {
  answer.results.push_back(
      {check.name, check.verdict == Verdict::passed, check.verdict == Verdict::not_applicable, check.detail});
}

}  // namespace

RequestServer::RequestServer(const WorkerParts& parts) : parts_(parts), store_(parts.device) {}

WorkerAnswer RequestServer::answer(const Request& request) {
  try {
    return std::visit([&](const auto& r) { return reply(r); }, request);
  } catch (const OutOfMemory& error) {
    prepared_.reset();
    store_.release();
    return FailedAnswer{error.what()};
  } catch (const std::bad_alloc&) {
    prepared_.reset();
    store_.release();
    return FailedAnswer{"out of memory: the worker's own memory is used up; choose smaller sizes"};
  } catch (const std::exception& error) {
    prepared_.reset();
    return FailedAnswer{error.what()};
  }
}

WorkerAnswer RequestServer::reply(const HelloRequest& request) {
  if (request.protocol != kProtocolVersion)
    return FailedAnswer{
        fmt::format("{} speaks protocol {}, not {}; install supervisor and worker of one release",
                    parts_.name, kProtocolVersion, request.protocol)};
  const DeviceInfo& info = parts_.device.info();
  HelloAnswer hello;
  hello.worker = parts_.name;
  hello.device = {info.id, info.name, info.memory_bytes, info.llc_bytes, info.versions};
  hello.backends = parts_.backends;
  for (const KernelEntry& kernel : parts_.kernels.entries())
    hello.kernels.push_back({std::string(kernel.op), std::string(kernel.name), std::string(kernel.backend)});
  return hello;
}

WorkerAnswer RequestServer::reply(const ProbeRequest& request) {
  prepared_.reset();
  store_.release();  // the probe needs the memory
  return parts_.probe(request.budget_s);
}

WorkerAnswer RequestServer::reply(const KernelsRequest& request) {
  const Case what = parse(request.case_text);
  KernelsAnswer answer;
  for (const KernelEntry* kernel : parts_.kernels.of(what.op->info.id, ""))
    answer.kernels.push_back({std::string(kernel->backend), std::string(kernel->name),
                              kernel->why_unsupported(what.values, parts_.device)});
  return answer;
}

/// The best other kernel of the back end for the case; null when there is none.
const KernelEntry* RequestServer::second_kernel(const Choice& first) const {
  for (const KernelEntry* kernel : parts_.kernels.of(first.kernel->op, first.kernel->backend))
    if (kernel != first.kernel && kernel->why_unsupported(first.what.values, parts_.device).empty())
      return kernel;
  return nullptr;
}

WorkerAnswer RequestServer::reply(const CheckRequest& request) {
  const Choice choice = choose(request.what);
  if (!choice.kernel) return SkippedAnswer{choice.reason};
  if (std::string why = why_too_large(choice.what, CacheState::hot, parts_.device.info()); !why.empty())
    return SkippedAnswer{std::move(why)};
  CheckAnswer answer{std::string(choice.kernel->name), {}};
  for (const HarnessCheck& check :
       check_kernel(choice.what, *choice.kernel, request.what.seed, parts_.device))
    add(answer, check);
  if (const KernelEntry* second = beyond_reference(choice.what) ? second_kernel(choice) : nullptr)
    add(answer, check_against_kernel(choice.what, *choice.kernel, *second, request.what.seed, parts_.device));
  return answer;
}

WorkerAnswer RequestServer::reply(const LaunchRequest&) {
  return FailedAnswer{parts_.name + " judges its kernels itself; ask it to check"};
}

WorkerAnswer RequestServer::reply(const SampleRequest& request) {
  const Choice choice = choose(request.what);
  if (!choice.kernel) return SkippedAnswer{choice.reason};
  if (std::string why = why_too_large(choice.what, request.cache, parts_.device.info()); !why.empty())
    return SkippedAnswer{std::move(why)};
  PreparedCase& prepared = prepare({choice.what, choice.kernel, request.cache, request.what.seed});
  SampleAnswer answer{std::string(choice.kernel->name), prepared.sample(options_of(request))};
  if (parts_.rank_ms) answer.rank_ms = parts_.rank_ms(answer.samples.latency_ms.size());
  return answer;
}

WorkerAnswer RequestServer::reply(const StepRequest& request) {
  StepSetup setup;
  setup.seed = request.seed;
  setup.order.assign(request.order.begin(), request.order.end());
  StepAnswer answer;
  for (const std::string& text : request.cases) {
    const Choice choice = choose({.case_text = text, .backend = request.backend, .kernel = {}, .seed = 0});
    if (!choice.kernel) return SkippedAnswer{fmt::format("{}: {}", choice.what.op->info.id, choice.reason)};
    setup.uses.push_back({choice.what, choice.kernel});
    answer.kernel_sources.emplace_back(choice.kernel->name);
  }
  prepared_.reset();  // the step needs the memory
  PreparedStep step(setup, parts_.device, store_);
  StepSamples samples = step.sample({.warmups = request.warmups,
                                     .repetitions = request.repetitions,
                                     .max_total_ms = request.max_total_ms,
                                     .allow_graph_fail = request.allow_graph_fail});
  answer.total_ms = std::move(samples.total_ms);
  answer.cases_ms = std::move(samples.uses_ms);
  answer.streamed_bytes = samples.streamed_bytes;
  answer.launch = samples.launch;
  answer.launch_note = std::move(samples.launch_note);
  return answer;
}

Case RequestServer::parse(const std::string& case_text) const {
  const Case what = parts_.ops.parse_case(case_text);
  if (const std::string_view why = what.op->why_invalid(what.values); !why.empty())
    throw Error(fmt::format("case '{}': {}", case_text, why));
  if (!what.op->measurable())
    throw Error(fmt::format(
        "case '{}': tables of this op are only imported, it has no operands to measure with", case_text));
  return what;
}

RequestServer::Choice RequestServer::choose(const KernelSelector& selector) const {
  Choice choice{parse(selector.case_text), nullptr, {}};
  for (const KernelEntry* kernel : parts_.kernels.of(choice.what.op->info.id, selector.backend)) {
    if (!selector.kernel.empty() && kernel->name != selector.kernel) continue;
    const std::string why = kernel->why_unsupported(choice.what.values, parts_.device);
    if (why.empty()) {
      choice.kernel = kernel;
      return choice;
    }
    if (!choice.reason.empty()) choice.reason += "; ";
    choice.reason += fmt::format("{}: {}", kernel->name, why);
  }
  if (choice.reason.empty())
    choice.reason = fmt::format("{} has no kernel {}of back end '{}' for {}", parts_.name,
                                selector.kernel.empty() ? "" : fmt::format("'{}' ", selector.kernel),
                                selector.backend, choice.what.op->info.id);
  return choice;
}

PreparedCase& RequestServer::prepare(const CaseSetup& setup) {
  if (!prepared_ || !same_setup(prepared_->setup(), setup)) {
    prepared_.reset();
    prepared_ = std::make_unique<PreparedCase>(setup, parts_.device, store_);
  }
  return *prepared_;
}

void serve(ProtocolChannel& channel, const WorkerParts& parts) {
  RequestServer server(parts);
  while (const auto line = channel.read_line()) {
    int64_t id = 0;
    WorkerAnswer answer;
    try {
      const NumberedRequest request = parse_request(*line);
      id = request.id;
      answer = server.answer(request.request);
    } catch (const Error& error) {
      answer = FailedAnswer{error.what()};
    }
    channel.write_line(format_answer(id, answer));
    if (std::holds_alternative<FailedAnswer>(answer) && parts.device.lost())
      throw Error(fmt::format("device {} can run nothing more in this process; start the worker again",
                              parts.device.info().id));
  }
}

void refuse(ProtocolChannel& channel, const std::string& reason) {
  while (const auto line = channel.read_line()) {
    int64_t id = 0;
    WorkerAnswer answer = FailedAnswer{reason};
    try {
      id = parse_request(*line).id;
    } catch (const Error& error) {
      answer = FailedAnswer{error.what()};
    }
    channel.write_line(format_answer(id, answer));
  }
}

}  // namespace perfatlas
