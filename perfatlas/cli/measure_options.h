// SPDX-License-Identifier: Apache-2.0
// The options that say how a case is measured: shared by collect, bench and validate.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

struct MeasureArguments {
  std::string backend = "onednn";
  std::string kernel;
  std::string cache = "serving";
  int warmups = 3;
  int min_samples = 10;  // --runs
  int max_samples = 0;   // --repeat; 0: until quiet or out of time
  std::string max_time = "1s";
  double max_noise = 0.02;
  double min_time_ms = 0.1;
  bool power = false;
  bool graph_fallback = true;
  uint64_t seed = 1;
};

void add_measure_options(CLI::App& verb, MeasureArguments& arguments);

/// Throws UsageError for a malformed value.
MeasureOptions measure_from(const MeasureArguments& arguments);

/// The one device a back end is measured on when none is named: all cores this process may use, or the first GPU.
std::vector<std::string> default_devices(const std::string& backend);

}  // namespace perfatlas
