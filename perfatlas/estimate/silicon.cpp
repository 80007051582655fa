// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/silicon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/base/text.h"

namespace perfatlas::estimate {
namespace {

/// A CSV file without quoted cells.
class Table {
 public:
  Table(std::string_view csv, std::string origin) : origin_(std::move(origin)) {
    for (std::string_view line : split(csv, '\n')) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) continue;
      std::vector<std::string_view> cells = split(line, ',');
      if (header_.empty())
        header_ = std::move(cells);
      else
        rows_.push_back(std::move(cells));
    }
  }
  size_t size() const { return rows_.size(); }
  std::optional<size_t> column(std::string_view name) const {
    const auto at = std::find(header_.begin(), header_.end(), name);
    if (at == header_.end()) return std::nullopt;
    return size_t(at - header_.begin());
  }
  /// Empty where the row is short.
  std::string_view cell(size_t row, size_t column) const {
    return column < rows_[row].size() ? rows_[row][column] : std::string_view();
  }
  const std::string& origin() const { return origin_; }

 private:
  std::string origin_;
  std::vector<std::string_view> header_;
  std::vector<std::vector<std::string_view>> rows_;
};

/// One row read by column names.
class Reader {
 public:
  Reader(const Table& table, size_t row) : table_(table), row_(row) {}

  std::string text(std::string_view name) const {
    const auto column = table_.column(name);
    if (!column) throw Error(fmt::format("{}: column '{}' is missing", table_.origin(), name));
    return std::string(trim(table_.cell(row_, *column)));
  }
  /// Nothing for an empty cell. Numbers are written as integers or as "8.0".
  std::optional<double> real(std::string_view name) const {
    const std::string cell = text(name);
    if (cell.empty()) return std::nullopt;
    const auto value = parse_real(cell);
    if (!value)
      throw Error(
          fmt::format("{}: line {}, column '{}' is '{}', no number", table_.origin(), row_ + 2, name, cell));
    return value;
  }
  std::optional<int64_t> integer(std::string_view name) const {
    const auto value = real(name);
    return value ? std::optional(int64_t(std::llround(*value))) : std::nullopt;
  }

 private:
  const Table& table_;
  size_t row_;
};

Pool read_pool(const Reader& row, const std::string& prefix) {
  Pool pool;
  pool.parallel.tp = row.integer(prefix + "tp_size").value_or(1);
  pool.parallel.pp = row.integer(prefix + "pp_size").value_or(1);
  pool.parallel.dp = row.integer(prefix + "attention_dp_size").value_or(1);
  pool.parallel.moe_tp = row.integer(prefix + "moe_tp_size");
  pool.parallel.moe_ep = row.integer(prefix + "moe_ep_size");
  pool.batch = row.integer(prefix + "batch_size");
  if (!prefix.empty()) pool.workers = row.integer(prefix + "num_workers");
  return pool;
}

QuantChoice read_quant(const Reader& row) {
  QuantChoice quant;
  if (const std::string name = row.text("gemm_quant_mode"); !name.empty())
    quant.gemm = gemm_mode_from_name(name);
  if (const std::string name = row.text("moe_quant_mode"); !name.empty())
    quant.moe = moe_mode_from_name(name);
  return quant;
}

SiliconRun read_run(const Reader& row) {
  SiliconRun run;
  EstimateRequest& r = run.request;
  run.id = row.text("id");
  run.source = row.text("silicon_data_source");
  run.measured_version = row.text("backend_version");
  run.ttft_ms = row.real("silicon_ttft_ms").value_or(0);
  run.tpot_ms = row.real("silicon_tpot_ms").value_or(0);
  r.model = row.text("model_path");
  r.system = row.text("system");
  r.breakdown = false;
  r.workload.isl = row.integer("isl").value_or(0);
  r.workload.osl = row.integer("osl").value_or(0);
  try {
    r.framework = framework_from_name(row.text("backend"));
    r.mode = serving_mode_from_name(row.text("mode"));
    r.quant = read_quant(row);
  } catch (const UsageError& error) {
    run.incomplete = error.what();
  }
  r.worker = read_pool(row, "");
  r.prefill = read_pool(row, "prefill_");
  r.decode = read_pool(row, "decode_");
  const bool disagg = r.mode == ServingMode::disaggregated;
  const auto complete = [&](const Pool& pool) { return pool.batch && (!disagg || pool.workers); };
  if (disagg ? !complete(r.prefill) || !complete(r.decode) : !complete(r.worker))
    run.incomplete = "the row does not say batch and workers";
  return run;
}

double median(std::vector<double> values) {
  const size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(half), values.end());
  if (values.size() % 2 == 1) return values[half];
  return (values[half] + *std::max_element(values.begin(), values.begin() + std::ptrdiff_t(half))) / 2;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / double(values.size());
}

/// Collects relative errors in percent.
class Errors {
 public:
  /// Null: no answer.
  void add(const SiliconRun& run, const Prediction* prediction) {
    ++runs_;
    if (prediction == nullptr) return;
    ++answered_;
    const auto note = [](double predicted, double measured, std::vector<double>& errors) {
      if (measured > 0) errors.push_back(std::abs(predicted - measured) / measured * 100);
    };
    note(prediction->ttft_ms, run.ttft_ms, ttft_);
    note(prediction->tpot_ms, run.tpot_ms, tpot_);
  }
  Accuracy accuracy() const {
    Accuracy a{.runs = runs_, .answered = answered_};
    if (!ttft_.empty()) a.ttft_mape = mean(ttft_), a.ttft_median = median(ttft_);
    if (!tpot_.empty()) a.tpot_mape = mean(tpot_), a.tpot_median = median(tpot_);
    return a;
  }

 private:
  size_t runs_ = 0, answered_ = 0;
  std::vector<double> ttft_, tpot_;
};

}  // namespace

std::vector<SiliconRun> parse_silicon_runs(std::string_view csv, const std::string& origin) {
  const Table table(csv, origin);
  std::vector<SiliconRun> runs;
  runs.reserve(table.size());
  for (size_t row = 0; row < table.size(); ++row) runs.push_back(read_run(Reader(table, row)));
  return runs;
}

void drop_unused_widths(Session& session, EstimateRequest& request) {
  if (session.model(request.model)->has_experts()) return;
  for (Pool* pool : {&request.worker, &request.prefill, &request.decode}) {
    pool->parallel.moe_tp.reset();
    pool->parallel.moe_ep.reset();
  }
}

/// A run's precision is a label ("fp8" for a checkpoint in blocks): where it has no data, the checkpoint's own types
/// count.
static Answer predict_run(Session& session, const SiliconRun& run) {
  Answer answer{.prediction = std::nullopt, .failure = run.incomplete};
  if (!run.incomplete.empty()) return answer;
  EstimateRequest request = run.request;
  for (const bool own_types : {false, true}) try {
      if (own_types) request.quant = {};
      drop_unused_widths(session, request);
      const Figures f = run_estimate(session, request).figures;
      return {.prediction = Prediction{f.ttft_ms, f.tpot_ms}, .failure = {}};
    } catch (const Error& error) {
      if (!own_types) answer.failure = error.what();
    }
  return answer;
}

std::vector<Answer> predict(Session& session, const std::vector<SiliconRun>& runs) {
  std::vector<Answer> answers(runs.size());
  for_each_parallel(runs.size(), [&](size_t i) { answers[i] = predict_run(session, runs[i]); });
  return answers;
}

std::map<std::string, Prediction> parse_predictions(std::string_view csv, const std::string& origin) {
  const Table table(csv, origin);
  const auto column = [&](std::string_view what) {
    for (const std::string& name :
         {std::string(what), fmt::format("{}_ms", what), fmt::format("pred_{}_ms", what)})
      if (const auto at = table.column(name)) return *at;
    throw Error(fmt::format("{}: there is no column '{}' (or {}_ms, pred_{}_ms)", origin, what, what, what));
  };
  const size_t id = column("id"), ttft = column("ttft"), tpot = column("tpot");
  std::map<std::string, Prediction> found;
  for (size_t row = 0; row < table.size(); ++row) {
    const auto a = parse_real(trim(table.cell(row, ttft))), b = parse_real(trim(table.cell(row, tpot)));
    if (a && b) found[std::string(table.cell(row, id))] = {*a, *b};
  }
  return found;
}

std::vector<AccuracyGroup> accuracy_by_group(const std::vector<SiliconRun>& runs,
                                             const std::vector<Answer>& answers,
                                             const std::map<std::string, Prediction>& peer) {
  struct Collected {
    Errors own, peer, own_where_peer;
  };
  std::map<std::pair<int, std::string>, Collected> groups;
  static constexpr std::string_view kKinds[] = {"all", "system", "backend", "model", "mode"};
  for (size_t i = 0; i < runs.size(); ++i) {
    const EstimateRequest& r = runs[i].request;
    const auto at = peer.find(runs[i].id);
    const Prediction* const other = at == peer.end() ? nullptr : &at->second;
    const Prediction* const own = answers[i].prediction ? &*answers[i].prediction : nullptr;
    const std::string names[] = {"", r.system, std::string(name_of(r.framework)), r.model,
                                 std::string(name_of(r.mode))};
    for (int kind = 0; kind < int(std::size(kKinds)); ++kind) {
      Collected& group = groups[{kind, names[kind]}];
      group.own.add(runs[i], own);
      group.peer.add(runs[i], other);
      if (other != nullptr) group.own_where_peer.add(runs[i], own);
    }
  }
  std::vector<AccuracyGroup> out;
  for (const auto& [key, group] : groups) {
    AccuracyGroup g{
        .kind = std::string(kKinds[size_t(key.first)]), .name = key.second, .own = group.own.accuracy()};
    if (!peer.empty()) g.peer = group.peer.accuracy(), g.own_where_peer = group.own_where_peer.accuracy();
    out.push_back(std::move(g));
  }
  return out;
}

}  // namespace perfatlas::estimate
