// SPDX-License-Identifier: Apache-2.0
// Small ops with every kind of field and column, and random rows of any op.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <limits>
#include <optional>
#include <random>
#include <string>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/store/row.h"

namespace perfatlas {

/// Every kind of field; plain latency.
struct ToyOp {
  Quant dtype = Quant::bf16;
  int64_t m = 1;
  bool causal = true;
  Symbol model{};
  bool operator==(const ToyOp&) const = default;

  static constexpr OpInfo info{.id = "toy", .table = "toy_perf", .op_name = "toy", .doc = "d", .sol = "s"};
  static constexpr auto fields = std::tuple{
      field("toy_dtype", &ToyOp::dtype, Role::exact, "dtype").flagged("dtype"),
      field("m", &ToyOp::m, Role::axis, "rows"),
      field("causal", &ToyOp::causal, Role::exact, "mask"),
      field("model", &ToyOp::model, Role::exact, "model"),
  };
  static constexpr auto axes = std::array{axis<&ToyOp::m, ToyOp>("m")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return m < 1 ? "m must be positive" : ""; }
  Work work() const { return {.flops = double(m)}; }
};

/// Sub-kernels in kernel_source, a direction in op_name, several measured columns.
struct ToySteps {
  Symbol direction{"pre"};
  Symbol step{"scan"};
  int64_t tokens = 1;
  bool operator==(const ToySteps&) const = default;

  static constexpr MeasuredColumn columns[] = {
      {"send_us", "us", 1e-3}, {"notify_us", "us", 1e-3}, {"bandwidth_gbps", "GB/s", 0}};
  static constexpr OpInfo info{.id = "toy_steps",
                               .table = "toy_steps_perf",
                               .op_name = "toy_steps",
                               .doc = "d",
                               .sol = "s",
                               .measured = columns};
  static constexpr auto fields = std::tuple{
      field("op_name", &ToySteps::direction, Role::exact, "direction"),
      field("tokens", &ToySteps::tokens, Role::axis, "tokens"),
      field("kernel_source", &ToySteps::step, Role::exact, "sub-kernel"),
  };
  static constexpr auto axes = std::array{axis<&ToySteps::tokens, ToySteps>("tokens")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return tokens < 1 ? "tokens must be positive" : ""; }
  Work work() const { return {.flops = double(tokens)}; }
};

/// A table as it was before two columns came ...
struct ToyBefore {
  int64_t m = 1;
  bool operator==(const ToyBefore&) const = default;

  static constexpr OpInfo info{.id = "grown", .table = "grown_perf", .op_name = "g", .doc = "d", .sol = "s"};
  static constexpr auto fields = std::tuple{field("m", &ToyBefore::m, Role::axis, "rows")};
  static constexpr auto axes = std::array{axis<&ToyBefore::m, ToyBefore>("m")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return m < 1 ? "m must be positive" : ""; }
  Work work() const { return {.flops = double(m)}; }
};

/// ... and as it is now: old rows have window 7, and are gated from 100 rows on.
struct ToyGrown {
  int64_t m = 1;
  int64_t window = 0;
  bool gated = false;
  bool operator==(const ToyGrown&) const = default;
  bool gated_before() const { return m >= 100; }

  static constexpr OpInfo info{.id = "grown", .table = "grown_perf", .op_name = "g", .doc = "d", .sol = "s"};
  static constexpr auto fields = std::tuple{
      field("m", &ToyGrown::m, Role::axis, "rows"),
      field("window", &ToyGrown::window, Role::exact, "window").absent_is(7),
      field("gated", &ToyGrown::gated, Role::exact, "gate").absent_follows(&ToyGrown::gated_before)};
  static constexpr auto axes = std::array{axis<&ToyGrown::m, ToyGrown>("m")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return m < 1 ? "m must be positive" : ""; }
  Work work() const { return {.flops = double(m)}; }
};

/// A valid row of any op: fields walk away from their defaults as far as why_invalid lets them.
class RandomRows {
 public:
  explicit RandomRows(uint64_t seed) : random_(seed) {}

  Row next(const OpType& op) {
    Row row{.c = {&op, op.defaults()}, .framework = "onednn", .version = "3.2.0"};
    row.device = pick<std::string>({"AMD EPYC", "Intel(R) Xeon(R), 6 \"max\"", "x"});
    row.kernel_source = pick<std::string>({"brgemm:avx512", "ref,any"});
    for (size_t i = 0; i < op.fields.size(); ++i) mutate(op, i, row);
    for (size_t i = 0; i < op.info.measured.size(); ++i) row.measured.push_back(real() + 1e-6);
    if (coin()) row.power_w = real() + 1;
    if (coin()) row.power_limit_w = 700.5;
    if (coin()) row.quality = quality(row);
    const auto claimed = op.find_field("kernel_source");
    if (claimed && !row.quality) row.kernel_source = op.fields[*claimed].format(row.c.values[*claimed]);
    return row;
  }

 private:
  template <class T>
  T pick(const std::vector<T>& values) {
    return values[random_() % values.size()];
  }
  bool coin() { return random_() % 2 == 0; }
  double real() { return std::exponential_distribution<double>(3)(random_); }
  std::optional<double> perhaps() { return coin() ? std::optional(real()) : std::nullopt; }

  void mutate(const OpType& op, size_t i, Row& row) {
    const FieldType& field = op.fields[i];
    FieldValues changed = row.c.values;
    if (field.kind == ValueKind::integer) changed[i] = pick<int64_t>({0, 1, 2, 7, 8, 64, 128, 4096, 1 << 20});
    if (field.kind == ValueKind::boolean) changed[i] = coin();
    if (field.kind == ValueKind::enumeration) changed[i] = pick(field.names).first;
    if (field.kind == ValueKind::symbol)
      changed[i] = pick<Symbol>({Symbol("a/b"), Symbol("power_law_1.2")}).id();
    if (op.why_invalid(changed).empty()) row.c.values = changed;
  }

  RowQuality quality(const Row& row) {
    RowQuality q{.samples = int64_t(random_() % 100) + 1, .latency_p10_ms = real()};
    q.latency_p90_ms = q.latency_p10_ms + real();
    q.rel_ci95 = coin() ? real() : std::numeric_limits<double>::infinity();
    q.cache_state = pick(std::vector{CacheState::serving, CacheState::hot, CacheState::cold});
    q.launch = pick(std::vector{LaunchMode::graph, LaunchMode::eager, LaunchMode::direct});
    q.clock_mhz = perhaps();
    if (coin()) q.temperature_c = -real();
    q.throttled = coin();
    q.energy_mj = perhaps();
    q.efficiency = perhaps();
    q.seed = random_();
    q.case_id = case_id(row.c);
    q.run_id = pick<std::string>({"", "20260131T120000Z-1a2b3c4d"});
    return q;
  }

  std::mt19937_64 random_;
};

/// The text of the Error that an action throws.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace perfatlas
