// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "perfatlas/base/hash.h"
#include "perfatlas/store/cell_impl.h"

namespace perfatlas {
namespace {

using Reason = std::string;  // empty: accepted

/// `samples` comes first and says whether the row has quality figures at all; the others must agree with it.
Reason set_samples(Row& row, size_t, const Cell& cell) {
  if (unknown(cell)) return {};
  const int64_t count = std::get<int64_t>(cell);
  if (count < 1) return fmt::format("{} is not positive", count);
  row.quality.emplace().samples = count;
  return {};
}

Reason check_quality_cell(const Row& row, const Cell& cell, bool may_be_unknown) {
  if (!row.quality) return unknown(cell) ? Reason() : "it has a value although samples is empty";
  return unknown(cell) && !may_be_unknown ? "it is empty although samples is not" : Reason();
}

/// A quality column from a pair of functions on RowQuality. Read returns a Cell; write gets a known cell and may
/// refuse it.
template <auto Read, auto Write, bool MayBeUnknown>
TableColumn quality_column(std::string_view name, CellType type) {
  return {name,
          type,
          Presence::quality,
          0,
          [](const Row& row, size_t) -> Cell { return row.quality ? Read(*row.quality) : Cell(); },
          [](Row& row, size_t, const Cell& cell) -> Reason {
            Reason reason = check_quality_cell(row, cell, MayBeUnknown);
            if (!reason.empty() || unknown(cell)) return reason;
            return Write(*row.quality, cell);
          }};
}

template <auto Member, bool MayBeUnknown>
TableColumn amount_column(std::string_view name) {
  constexpr auto read = [](const RowQuality& q) -> Cell {
    if constexpr (MayBeUnknown)
      return optional_cell(q.*Member);
    else
      return q.*Member;
  };
  constexpr auto write = [](RowQuality& q, const Cell& cell) -> Reason {
    q.*Member = std::get<double>(cell);
    return check_amount(cell);
  };
  return quality_column<read, write, MayBeUnknown>(name, CellType::real);
}

template <class E, E RowQuality::*Member>
TableColumn enum_column(std::string_view name) {
  constexpr auto read = [](const RowQuality& q) -> Cell { return std::string(name_of(q.*Member)); };
  constexpr auto write = [](RowQuality& q, const Cell& cell) -> Reason {
    const auto value = from_name<E>(std::get<std::string>(cell));
    if (!value) return fmt::format("'{}' is no known value", std::get<std::string>(cell));
    q.*Member = *value;
    return {};
  };
  return quality_column<read, write, false>(name, CellType::text);
}

/// Unsigned 64-bit numbers are text in tables: int64 columns cannot hold them.
Reason parse_unsigned(const std::string& text, int base, uint64_t& value) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, base);
  const bool whole = error == std::errc() && rest == end && (base != 16 || text.size() == 16);
  return whole ? Reason()
               : fmt::format("'{}' is not {}", text, base == 16 ? "16 hexadecimal digits" : "a number");
}

constexpr auto read_throttled = [](const RowQuality& q) -> Cell { return q.throttled; };
constexpr auto write_throttled = [](RowQuality& q, const Cell& cell) -> Reason {
  q.throttled = std::get<bool>(cell);
  return {};
};
constexpr auto read_temperature = [](const RowQuality& q) -> Cell { return optional_cell(q.temperature_c); };
constexpr auto write_temperature = [](RowQuality& q, const Cell& cell) -> Reason {
  q.temperature_c = std::get<double>(cell);
  return std::isfinite(*q.temperature_c) ? Reason() : "it is not a finite number";
};
/// An interval that too few samples could not give is infinite in memory and empty in files.
constexpr auto read_interval = [](const RowQuality& q) -> Cell {
  return std::isfinite(q.rel_ci95) ? Cell(q.rel_ci95) : Cell();
};
constexpr auto write_interval = [](RowQuality& q, const Cell& cell) -> Reason {
  q.rel_ci95 = std::get<double>(cell);
  return check_amount(cell);
};
constexpr auto read_seed = [](const RowQuality& q) -> Cell { return std::to_string(q.seed); };
constexpr auto write_seed = [](RowQuality& q, const Cell& cell) {
  return parse_unsigned(std::get<std::string>(cell), 10, q.seed);
};
constexpr auto read_case_id = [](const RowQuality& q) -> Cell { return hex16(q.case_id); };
constexpr auto write_case_id = [](RowQuality& q, const Cell& cell) {
  return parse_unsigned(std::get<std::string>(cell), 16, q.case_id);
};
constexpr auto read_run_id = [](const RowQuality& q) -> Cell { return q.run_id; };
constexpr auto write_run_id = [](RowQuality& q, const Cell& cell) -> Reason {
  q.run_id = std::get<std::string>(cell);
  return {};
};

TableColumn samples_column() {
  return {"samples",
          CellType::integer,
          Presence::quality,
          0,
          [](const Row& row, size_t) -> Cell { return row.quality ? Cell(row.quality->samples) : Cell(); },
          set_samples};
}

/// rel_ci95 is set to infinity when its cell is empty but the row has quality figures.
TableColumn interval_column() {
  TableColumn column = quality_column<read_interval, write_interval, true>("rel_ci95", CellType::real);
  column.set = [](Row& row, size_t, const Cell& cell) -> Reason {
    Reason reason = check_quality_cell(row, cell, true);
    if (!reason.empty() || !row.quality) return reason;
    if (!unknown(cell)) return write_interval(*row.quality, cell);
    row.quality->rel_ci95 = std::numeric_limits<double>::infinity();
    return {};
  };
  return column;
}

}  // namespace

std::string check_amount(const Cell& cell) {
  if (unknown(cell)) return {};
  const double value = std::get<double>(cell);
  if (!std::isfinite(value)) return fmt::format("{} is not a finite number", value);
  return value < 0 ? fmt::format("{} is negative", value) : std::string();
}

TableColumn kernel_column() {
  return {"kernel",
          CellType::text,
          Presence::quality,
          0,
          [](const Row& row, size_t) -> Cell { return row.quality ? Cell(row.kernel_source) : Cell(); },
          [](Row& row, size_t, const Cell& cell) -> Reason {
            Reason reason = check_quality_cell(row, cell, false);
            if (reason.empty() && !unknown(cell)) row.kernel_source = std::get<std::string>(cell);
            return reason;
          }};
}

std::vector<TableColumn> quality_columns() {
  using Q = RowQuality;
  return {
      samples_column(),
      amount_column<&Q::latency_p10_ms, false>("latency_p10"),
      amount_column<&Q::latency_p90_ms, false>("latency_p90"),
      interval_column(),
      enum_column<CacheState, &Q::cache_state>("cache_state"),
      enum_column<LaunchMode, &Q::launch>("launch"),
      amount_column<&Q::clock_mhz, true>("clock_mhz"),
      quality_column<read_temperature, write_temperature, true>("temperature_c", CellType::real),
      quality_column<read_throttled, write_throttled, false>("throttled", CellType::boolean),
      amount_column<&Q::energy_mj, true>("energy_mj"),
      amount_column<&Q::efficiency, true>("efficiency"),
      quality_column<read_seed, write_seed, false>("seed", CellType::text),
      quality_column<read_case_id, write_case_id, false>("case_id", CellType::text),
      quality_column<read_run_id, write_run_id, true>("run_id", CellType::text),
  };
}

}  // namespace perfatlas
