// SPDX-License-Identifier: Apache-2.0
// "How long would this take": answers of the engine "aic" from published tables.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "perfatlas/aic/engine.h"
#include "perfatlas/db/database.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {

/// Thread-safe.
class CompatibleDatabase {
 public:
  explicit CompatibleDatabase(std::shared_ptr<const SystemsRoot> root) : root_(std::move(root)) {}

  /// The price of the case as a layer of a model (aic/case_question.h), with what belongs to that: the mean over five
  /// lengths in decode attention, the small kernels around prefill attention. There is no error bar. A miss is an
  /// answer with a reason. Throws UsageError for unknown systems, back ends and versions, for ops without such a
  /// question, and where options.backend is empty. REQUIRES: options.engine is aic; options.kernel and cache_state are
  /// empty.
  Answer query(const Case& asked, const QueryOptions& options, const aic::ViewOptions& view);

 private:
  const aic::Engine& engine(const QueryOptions& options, aic::Mode mode);

  std::shared_ptr<const SystemsRoot> root_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::string, bool>, aic::Engine> engines_;
};

}  // namespace perfatlas
