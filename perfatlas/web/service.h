// SPDX-License-Identifier: Apache-2.0
// What the HTTP service answers, apart from HTTP: paths, JSON in, JSON out. docs/formats.md describes the bodies, the
// service itself as OpenAPI under GET /openapi.json.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "perfatlas/db/database.h"
#include "perfatlas/estimate/session.h"
#include "perfatlas/schema/registry.h"
#include "perfatlas/serving/price_tables.h"
#include "perfatlas/web/metrics.h"

namespace perfatlas {

/// What the service knows. Without a session there is no /v1/estimate, without a database no /v1/query; such requests
/// are answered with 404 and the flag that would help.
struct ServiceData {
  std::map<std::string, std::shared_ptr<const PriceTables>, std::less<>> prices;  // by name
  std::unique_ptr<Database> database;
  estimate::Session* session = nullptr;  // outlives the service
  const OpRegistry* ops = nullptr;       // outlives the service
  double time_limit_s = 10;              // of one simulation
};

struct Reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

/// Thread-safe.
class Service {
 public:
  explicit Service(ServiceData data) : data_(std::move(data)) {}

  /// Never throws for what a client sent: errors are {"error": one line} with status 400, 404, 405 or 500.
  Reply answer(std::string_view method, std::string_view path, const std::string& body);

  Metrics& metrics() { return metrics_; }

  /// {"error": "..."}
  static Reply error(int status, std::string_view what);

 private:
  Reply step(const std::string& body);
  Reply simulate_case(const std::string& body);
  Reply estimate_case(const std::string& body);
  Reply query(const std::string& body);
  Reply route(std::string_view method, std::string_view path, const std::string& body);
  /// The named tables; without a name the only ones. Throws UsageError listing the names.
  std::shared_ptr<const PriceTables> prices(std::string_view name) const;

  ServiceData data_;
  std::mutex database_mutex_;
  Metrics metrics_;
};

/// The OpenAPI 3.0 document of the service.
std::string openapi_document();

}  // namespace perfatlas
