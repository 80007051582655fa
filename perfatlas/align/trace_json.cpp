// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

#include "perfatlas/align/trace.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using nlohmann::json;

int64_t nanoseconds(const json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_number() ? std::llround(found->get<double>() * 1e3) : 0;
}

/// Threads are numbers in Kineto and may be text elsewhere.
int64_t thread_of(const json& event) {
  const auto found = event.find("tid");
  if (found == event.end()) return 0;
  if (found->is_number()) return found->get<int64_t>();
  return int64_t(std::hash<std::string>{}(found->dump()));
}

void take(const json& event, RecordedTrace& trace) {
  const std::string category = event.value("cat", "");
  const int64_t start = nanoseconds(event, "ts"), duration = nanoseconds(event, "dur");
  if (category == "user_annotation" || category == "nvtx") {
    trace.ranges.push_back({event.value("name", ""), start, start + duration, thread_of(event)});
    return;
  }
  const bool kernel = category == "kernel", launch = category == "cuda_runtime" || category == "cuda_driver";
  const auto arguments = event.find("args");
  if ((!kernel && !launch) || arguments == event.end()) return;
  const auto correlation = arguments->find("correlation");
  if (correlation == arguments->end() || !correlation->is_number_integer()) return;
  if (kernel)
    trace.kernels.push_back({event.value("name", ""), correlation->get<int64_t>(), duration});
  else
    trace.launches.push_back({correlation->get<int64_t>(), start, thread_of(event)});
}

}  // namespace

RecordedTrace read_json_trace(const std::string& path) {
  std::ifstream file(path);
  json content;
  try {
    content = json::parse(file);
  } catch (const json::exception& error) {
    throw Error(fmt::format("{}: is no JSON: {}", path, error.what()));
  }
  const json* events = &content;
  if (content.is_object()) {
    const auto found = content.find("traceEvents");
    if (found == content.end()) throw Error(fmt::format("{}: has no traceEvents", path));
    events = &*found;
  }
  if (!events->is_array()) throw Error(fmt::format("{}: traceEvents is no list", path));
  RecordedTrace trace;
  for (const json& event : *events)
    if (event.is_object() && event.value("ph", "") == "X") take(event, trace);
  if (trace.kernels.empty())
    throw Error(
        fmt::format("{}: has no kernel (events of category \"kernel\"); was the GPU profiled?", path));
  return trace;
}

}  // namespace perfatlas
