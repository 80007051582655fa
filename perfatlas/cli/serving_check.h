// SPDX-License-Identifier: Apache-2.0
// perfatlas verify --serving: a serving engine that runs on this machine, beside what this machine's tables predict.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "perfatlas/load/load_run.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct ServingCheck {
  std::string model, dtype, backend, data, system;  // of the prediction
  std::string engine = "llama_cpp", url, served_model, api;
  std::vector<int64_t> users{1, 2, 4, 8};
  std::vector<double> length_ratios{1, 0.5};
  int64_t isl = 128, osl = 32, requests_per_user = 5;
  std::vector<std::string> launch;  // "max_running=8": settings of perfatlas simulate
  double path_ms = 2;               // of one request outside the engine: HTTP on loopback
  double most_busy = 0.05;          // of the processors, just before a case
  bool json = false;
};

/// Adds the flags that only --serving has.
void add_serving_check(CLI::App& verb, ServingCheck& check);

/// One case per number of users and length ratio: load by the client of `perfatlas load`, then the simulation of the
/// same requests. Prints measured beside predicted TTFT and TPOT and their median errors; cases that began on a busy
/// machine are retried, then marked and left out of the medians. Throws Error when the endpoint refuses or the tables
/// lack an op.
int run_serving_check(const ServingCheck& check, const OpRegistry& ops);

}  // namespace perfatlas
