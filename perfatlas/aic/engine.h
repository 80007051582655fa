// SPDX-License-Identifier: Apache-2.0
// The engine that prices ops from published tables by the rules of aiconfigurator 0.12, number for number.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/aic/ground.h"
#include "perfatlas/aic/op.h"
#include "perfatlas/aic/phase_point.h"
#include "perfatlas/aic/price.h"

namespace perfatlas {
class SystemsRoot;
}

namespace perfatlas::aic {

class Database;
class Pricer;

/// The version of an engine without tables, as published results spell it.
inline constexpr std::string_view kNoTables = "estimate";

struct ViewOptions {
  Mode mode = Mode::silicon;
  TransferPolicy transfers;
  /// Rows of other versions and back ends fill holes. Absent: as the mode has it (silicon and hybrid: yes).
  std::optional<bool> shared_layer;
  bool operator==(const ViewOptions&) const = default;
};

/// An op with all its look-ups done: tables read, slices found, peaks known. Immutable; price() allocates nothing
/// and may be called from many threads at once.
class BoundOp {
 public:
  explicit BoundOp(std::unique_ptr<const Pricer> pricer);
  BoundOp(BoundOp&&) noexcept;
  BoundOp& operator=(BoundOp&&) noexcept;
  ~BoundOp();

  /// scale_factor included.
  Price price(const PhasePoint& at) const;

  /// For a point whose price is a failure: what is missing (table, key or axis), what exists nearby and what to try,
  /// in one line. Empty for a point with a price.
  std::string explain(const PhasePoint& at) const;

  /// The measured rows behind the price at a point, for ops that are one table; nothing for composed ones (MoeDispatch,
  /// Overlap, Fallback), estimates and formulas. Slower than price().
  Ground ground(const PhasePoint& at) const;

  /// MoeAllToAll answered from one node because its own size was not measured; else nothing.
  std::optional<MoeCommFallback> comm_fallback() const;

 private:
  std::unique_ptr<const Pricer> pricer_;
};

/// An engine in one mode. Cheap to make and to copy; keeps the engine's tables alive.
class View {
 public:
  View(std::shared_ptr<const Database> database, ViewOptions options);

  /// Reads the tables that the op needs when nobody has before. Missing data is no error here: it is what price()
  /// then says. Throws Error when a table cannot be read (another op's tables go on working). Thread-safe.
  BoundOp bind(const Op& op) const;

  const ViewOptions& options() const { return options_; }

 private:
  std::shared_ptr<const Database> database_;
  ViewOptions options_;
};

/// The tables of one (system, back end, version). Tables are read when first asked for, once, and shared by all
/// views. Thread-safe.
class Engine {
 public:
  /// `version`: a folder name, or current, previous, next; empty: current (see SystemsRoot). Throws UsageError for an
  /// unknown system, back end or version, naming what there is. REQUIRES: the root outlives the engine and its views.
  static Engine open(const SystemsRoot& root, const std::string& system, const std::string& backend,
                     const std::string& version);

  /// Of a system that is described but has no tables of `backend`: answers from peaks alone (Mode::sol). Throws
  /// UsageError for an unknown system. REQUIRES: as open().
  static Engine described(const SystemsRoot& root, const std::string& system, const std::string& backend);

  View view(ViewOptions options) const;

 private:
  explicit Engine(std::shared_ptr<const Database> database);
  std::shared_ptr<const Database> database_;
};

}  // namespace perfatlas::aic
