// SPDX-License-Identifier: Apache-2.0
// The price tables of a worker: its steps, priced from published data, on the grids that the simulation interpolates.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "perfatlas/estimate/session.h"
#include "perfatlas/serving/kv_capacity.h"
#include "perfatlas/serving/price_tables.h"

namespace perfatlas {

/// The engine whose scheduler serves the workers of a framework.
ServingEngine engine_of(estimate::Framework framework);

/// Grids: 1 to 40,960 context tokens; up to 32 prompts and 16,384 tokens each; chunks of up to 16,384 tokens on as
/// many cached ones; up to 1,024 sequences and 16,384 KV tokens. Grid values the tables know nothing of are left out
/// at the upper ends. Throws UsageError naming op, table and key when a step within the first octaves has no price.
PriceTables worker_prices(const estimate::Worker& worker, const std::string& identity);

/// Weights and KV cache of one rank of a worker.
RankMemory rank_memory(const estimate::Worker& worker);

/// Tables by question, each made once. Thread-safe.
class WorkerPrices {
 public:
  explicit WorkerPrices(estimate::Session& session) : session_(session) {}
  /// Throws as Session::worker and worker_prices.
  std::shared_ptr<const PriceTables> tables(const estimate::WorkerQuestion& question);

 private:
  estimate::Session& session_;
  std::mutex mutex_;
  std::map<std::shared_ptr<const estimate::Worker>, std::shared_ptr<const PriceTables>> tables_;
};

}  // namespace perfatlas
