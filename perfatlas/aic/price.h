// SPDX-License-Identifier: Apache-2.0
// How an op is priced, and the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace perfatlas::aic {

/// Where latencies come from.
enum class Mode {
  silicon,    // measured tables and what follows from them between and beyond points; else a failure
  hybrid,     // silicon; where data is missing, the empirical estimate
  empirical,  // speed of light over the utilisation of the nearest measured points of the asked version alone
  sol,        // speed of light: max(arithmetic, memory)
  sol_full,   // the same with both parts; not every op has them
};

std::string_view name_of(Mode mode);                   // "SILICON", ...
std::optional<Mode> mode_from_name(std::string_view);  // any case

/// What an empirical estimate may borrow from when its own shape was not measured.
struct TransferPolicy {
  bool xshape = true;    // another shape
  bool xquant = true;    // another mode with the same bytes and arithmetic
  bool xprofile = true;  // a mode with other bytes or arithmetic
  bool xop = true;       // another op
  bool operator==(const TransferPolicy&) const = default;

  /// off, conservative (xshape), balanced (xshape, xquant), aggressive or default (all), or a list of kinds
  /// separated by commas. Throws UsageError naming the choices.
  static TransferPolicy from_text(std::string_view text);
};

/// Which kind of answer.
enum class Source { silicon, empirical, sol, estimated, mixed };

std::string_view name_of(Source source);

/// The weakest ground an estimate stands on, in ascending order of severity.
enum class Provenance : uint8_t { none, empirical, xshape, xquant, xprofile, xop };

std::string_view name_of(Provenance provenance);  // "" for none

/// Why there is no answer.
enum class Failure : uint8_t {
  none,
  perf_data_not_available,           // no such table or slice
  interpolation_data_not_available,  // the slice says nothing about this point
  empirical_not_implemented,         // nothing to estimate from
  missing_system_flops,              // the system description lacks the peak
  invalid_engine_config,             // the op's fields make no sense for this back end
  unsupported_attention_backend,
  sol_not_implemented,  // no speed of light, or none in parts
};

std::string_view name_of(Failure failure);  // "PerfDataNotAvailable", ...

/// The answer. A plain value: it is made a million times per search.
struct Price {
  double latency_ms = 0;
  double energy_mj = 0;  // 0 when unknown: the published tables' own convention, kept by this engine
  Source source = Source::silicon;
  Provenance provenance = Provenance::none;
  Failure failure = Failure::none;
  double math_ms = 0;    // Mode::sol and sol_full: the part of arithmetic
  double memory_ms = 0;  // and of memory or links

  bool ok() const { return failure == Failure::none; }

  static Price failed(Failure failure) { return {.failure = failure}; }

  /// In sequence: latencies and energies add up; a source that differs becomes mixed, except that a price of nothing
  /// at all is neutral; the graver provenance stays; a failure stays.
  Price& operator+=(const Price& other);
  Price& operator*=(double factor);
};

}  // namespace perfatlas::aic
