// SPDX-License-Identifier: Apache-2.0
// Prices, KV capacity and ranks of a serving case, from the estimator's request for the same deployment.
#pragma once

#include "perfatlas/estimate/estimate.h"
#include "perfatlas/pricing/worker_prices.h"
#include "perfatlas/serving/prediction.h"

namespace perfatlas {

/// Thread-safe; keeps the tables it has made. REQUIRES: the session outlives it.
class RequestPricer {
 public:
  explicit RequestPricer(estimate::Session& session) : session_(session), prices_(session) {}

  /// Fills prices, KV capacity (unless given) and ranks of the question, of pools in disaggregated mode. With
  /// `may_transfer`, steps without measured prices are priced by transfer (HYBRID). Throws UsageError when the worker
  /// cannot be priced or its weights do not fit. REQUIRES: aggregated or disaggregated mode.
  void price(const estimate::EstimateRequest& request, bool may_transfer, ServingQuestion& question);

 private:
  estimate::WorkerQuestion worker_question(const estimate::EstimateRequest& request,
                                           const estimate::Pool& pool) const;
  /// The question as it could be priced, with its tables.
  estimate::WorkerQuestion priced(estimate::WorkerQuestion question, bool may_transfer,
                                  std::shared_ptr<const PriceTables>& tables);

  estimate::Session& session_;
  WorkerPrices prices_;
};

/// The case that a request describes: as many users as the workers take at once, lengths drawn from 0.8 of the nominal
/// ones, the engine's default launch parameters. Without prices. Throws UsageError for static modes and for
/// disaggregated ones without worker counts.
ServingQuestion serving_question(const estimate::EstimateRequest& request);

}  // namespace perfatlas
