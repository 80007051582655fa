// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/wide_ep_moe/wide_ep_moe_aic.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"
#include "perfatlas/ops/moe/moe_aic.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kDeepEp = "deepep_moe";
constexpr double kBalancedShare =
    0.8;  // of the tokens, on the busiest rank once experts are copied to balance them
constexpr int kBlackwell = 100;
constexpr std::string_view kMegaMoeOp = "dsv4_mega_moe";

/// A curve of the merged tables.
struct ExpertShape {
  std::string kernel, quant, distribution;
  bool context = true;
  int64_t topk = 0, experts = 0, slots = 0, hidden = 0, inter = 0, ep = 1;
  auto operator<=>(const ExpertShape&) const = default;
};

class ExpertTable {
 public:
  ExpertTable(const Database& database, SharedLayer shared) {
    add(database, shared, "expert_compute", {});
    add(database, shared, "wide_ep_context_moe", true);
    add(database, shared, "wide_ep_generation_moe", false);
    add(database, shared, "wide_ep_moe", {});
  }

  const std::vector<ExpertShape>& order() const { return order_; }
  /// A curve over tokens; null: not measured.
  const PointList* find(const ExpertShape& shape) const {
    const auto at = curves_.find(shape);
    return at == curves_.end() ? nullptr : &at->second;
  }

 private:
  /// `context`: the phase of all rows; absent: a column says, or the rows stand for both.
  void add(const Database& database, SharedLayer shared, const char* id, std::optional<bool> context) {
    const auto rows = tables_.emplace_back(database.rows(id, shared));
    const bool has_slots = rows->op().find_field("num_slots").has_value();
    const bool has_phase = rows->op().find_field("inference_phase").has_value();
    std::vector<std::string_view> columns{"moe_dtype",   "num_tokens",  "hidden_size", "inter_size",  "topk",
                                          "num_experts", "moe_tp_size", "moe_ep_size", "distribution"};
    if (has_slots) columns.insert(columns.end(), {"num_slots", "kernel_source"});
    if (has_phase) columns.push_back("inference_phase");
    const TableFields f(*rows, columns);
    for (uint32_t row = 0; row < rows->size(); ++row) {
      if (f(row, 6) != 1) continue;
      ExpertShape shape{has_slots ? f.text_of(10, f(row, 10)) : std::string(kDeepEp),
                        f.text_of(0, f(row, 0)),
                        f.text_of(8, f(row, 8)),
                        true,
                        f(row, 4),
                        f(row, 5),
                        has_slots ? f(row, 9) : f(row, 5),
                        f(row, 2),
                        f(row, 3),
                        f(row, 7)};
      for (const bool phase : {true, false}) {
        if (context && *context != phase) continue;
        if (has_phase && (f.text_of(11, f(row, 11)) == "context") != phase) continue;
        shape.context = phase;
        auto [at, is_new] = curves_.try_emplace(shape, *rows);
        if (is_new) order_.push_back(shape);
        add_point(at->second, *rows, f(row, 1), row);
      }
    }
  }

  /// A place keeps its first point. Points of two tables are not told apart any more.
  static void add_point(PointList& curve, const TableRows& rows, int64_t tokens, uint32_t row) {
    if (curve.rows() == &rows) return curve.add({tokens}, row);
    if (curve.rows() != nullptr) curve = PointList(curve.points());
    for (const MeasuredPoint& point : curve.points())
      if (point.at[0] == tokens) return;
    curve.points().push_back({{tokens}, rows.latency_ms(row), 0.0});
  }

  std::vector<std::shared_ptr<const TableRows>> tables_;
  std::map<ExpertShape, PointList> curves_;
  std::vector<ExpertShape> order_;  // of first appearance
};

std::string kernel_of(const ExpertCompute& op, const ExpertTable& table, const Binding& binding) {
  if (!op.kernel_source.empty()) return op.kernel_source;
  if (binding.database.backend() != "trtllm") return std::string(kDeepEp);
  const bool blackwell = binding.system().sm_version.value_or(0) >= kBlackwell;
  const std::string usual = blackwell && op.quant == QuantMode::fp8_block ? "deepgemm" : "moe_torch_flow";
  for (const ExpertShape& shape : table.order())
    if (shape.kernel == usual) return usual;
  return table.order().empty() ? usual : table.order().front().kernel;
}

/// The asked distribution, else uniform, else the first that has the phase.
std::string distribution_of(const ExpertCompute& op, const ExpertTable& table, const ExpertShape& shape) {
  std::string first;
  bool uniform = false;
  for (const ExpertShape& known : table.order()) {
    if (known.kernel != shape.kernel || known.quant != shape.quant || known.context != shape.context)
      continue;
    if (known.distribution == op.workload_distribution) return op.workload_distribution;
    uniform = uniform || known.distribution == "uniform";
    if (first.empty()) first = known.distribution;
  }
  return uniform ? "uniform" : first;
}

class ExpertPricer final : public Pricer {
 public:
  ExpertPricer(const ExpertCompute& op, const Binding& binding) : op_(op), mode_(binding.mode) {
    const ExpertTable& table = binding.family<ExpertTable>();
    ExpertShape shape{kernel_of(op, table, binding),
                      std::string(name_of(op.quant)),
                      {},
                      op.context,
                      op.topk,
                      op.num_experts,
                      op.num_slots > 0 ? op.num_slots : op.num_experts,
                      op.hidden_size,
                      op.inter_size,
                      op.moe_ep_size};
    shape.distribution = distribution_of(op, table, shape);
    balanced_ = op.enable_eplb && op.context && shape.kernel == kDeepEp;
    if (const auto* curve = table.find(shape)) {
      single_point_ = curve->points().size() == 1 ? curve->points()[0].at[0] : 0;
      curve_ = std::make_shared<const Surface>(AxisLayout{}, *curve, sol_of(binding.system(), shape));
    } else if (binding.database.backend() != "sglang") {
      Moe plain;
      plain.hidden_size = op.hidden_size;
      plain.inter_size = op.inter_size;
      plain.topk = op.topk;
      plain.num_experts = op.num_experts;
      plain.moe_ep_size = op.moe_ep_size;
      plain.quant = op.quant;
      plain.workload_distribution = op.workload_distribution;
      plain.is_gated = op.is_gated;
      Binding measured = binding;
      measured.mode = Mode::silicon;
      plain_ = bind(plain, measured);
    }
    why_missing_ = "no wide expert-parallel rows of kernel " + shape.kernel + ", " + shape.quant + ", " +
                   shape.distribution + " for this shape, expert parallelism and number of slots";
  }

  Price price(const PhasePoint& at) const override {
    if (mode_ != Mode::silicon && mode_ != Mode::hybrid)
      return Price::failed(Failure::empirical_not_implemented);
    if (plain_) return plain_->price(plain_point(at));
    const int64_t tokens = tokens_of(at);
    Price price = Price::failed(Failure::perf_data_not_available);
    if (curve_ && tokens < single_point_)
      price = Price::failed(Failure::interpolation_data_not_available);
    else if (curve_)
      price = curve_->price({tokens});
    price.energy_mj = 0;  // not told
    if (price.ok() || mode_ == Mode::silicon) return price;
    return Price::failed(Failure::empirical_not_implemented);
  }

  std::string explain(const PhasePoint& at) const override {
    if (mode_ != Mode::silicon && mode_ != Mode::hybrid)
      return "expert compute has no estimate; use mode SILICON";
    if (price(at).ok()) return {};
    return plain_ ? why_missing_ + "; " + plain_->explain(plain_point(at)) : why_missing_;
  }

  Ground ground(const PhasePoint& at) const override {
    if (plain_) return plain_->ground(plain_point(at));
    return curve_ && price(at).ok() ? curve_->ground({tokens_of(at)}) : Ground{};
  }

 private:
  int64_t tokens_of(const PhasePoint& at) const {
    const int64_t tokens = at.tokens * op_.attention_dp_size;
    return balanced_ ? int64_t(kBalancedShare * double(tokens)) : tokens;
  }
  PhasePoint plain_point(const PhasePoint& at) const {
    PhasePoint point = at;
    point.tokens = tokens_of(at);
    return point;
  }

  SolFunction sol_of(const AicSystem& system, const ExpertShape& s) const {
    const double flops = peak_flops(system, MathType::bf16).value_or(0) * profile_of(op_.quant).multiplier;
    const double bytes = profile_of(op_.quant).bytes, bandwidth = system.mem_bw;
    return [=](const Coordinates& at) {
      const int64_t routed = at[0] * s.topk, here = routed / s.ep;
      const int64_t operations =
          routed * s.hidden * s.inter * 6 / s.ep;  // whole ones, as the reference counts
      const double elements = double(here * s.hidden * 2 + here * s.inter * 3 +
                                     s.hidden * s.inter * 3 * std::min(s.slots / s.ep, here));
      return std::max(double(operations) / flops, bytes * elements / bandwidth) * 1e3;
    };
  }

  ExpertCompute op_;
  Mode mode_;
  bool balanced_ = false;
  int64_t single_point_ = 0;  // the place of a curve of one point: it says nothing about smaller steps
  std::shared_ptr<const Surface> curve_;
  std::unique_ptr<const Pricer> plain_;
  std::string why_missing_;
};

enum MegaColumn : size_t {
  m_phase,
  m_dtype,
  m_shared,
  m_policy,
  m_dispatch,
  m_hidden,
  m_inter,
  m_topk,
  m_experts,
  m_tp,
  m_ep,
  m_distribution,
  m_kernel_dtype,
  m_tokens
};

class MegaTable {
 public:
  MegaTable(const Database& database, SharedLayer shared)
      : rows_(database.rows(kMegaMoeOp, shared)),
        f_(*rows_, {"phase", "moe_dtype", "num_fused_shared_experts", "source_policy", "pre_dispatch",
                    "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "moe_ep_size",
                    "distribution", "kernel_dtype", "num_tokens"}) {}

  std::shared_ptr<const Surface> find(const MegaMoe& op) const {
    // Rows of another version are another kernel.
    if (rows_->empty() || rows_->sources()[rows_->source(0)].source.channel != SourceChannel::primary)
      return nullptr;
    const std::string distribution =
        op.workload_distribution == "uniform" ? "balanced" : op.workload_distribution;
    PointList points(*rows_);
    for (uint32_t row = 0; row < rows_->size(); ++row) {
      const auto is = [&](size_t column, std::string_view text) {
        return f_.text_of(column, f_(row, column)) == text;
      };
      if (is(m_phase, op.context ? "context" : "generation") && is(m_dtype, name_of(op.quant)) &&
          f_(row, m_shared) == op.num_fused_shared_experts && is(m_policy, op.source_policy) &&
          is(m_dispatch, op.pre_dispatch) && f_(row, m_hidden) == op.hidden_size &&
          f_(row, m_inter) == op.inter_size && f_(row, m_topk) == op.topk &&
          f_(row, m_experts) == op.num_experts && f_(row, m_tp) == op.moe_tp_size &&
          f_(row, m_ep) == op.moe_ep_size && is(m_distribution, distribution) &&
          is(m_kernel_dtype, op.kernel_dtype) && rows_->kernel(row).text() == op.kernel_source)
        points.add({f_(row, m_tokens)}, row);
    }
    if (points.empty()) return nullptr;
    return std::make_shared<const Surface>(AxisLayout{}, std::move(points),
                                           [](const Coordinates& at) { return double(at[0]); });
  }

 private:
  std::shared_ptr<const TableRows> rows_;
  TableFields f_;
};

class MegaPricer final : public Pricer {
 public:
  MegaPricer(const MegaMoe& op, const Binding& binding) {
    const bool measured = binding.mode == Mode::silicon || binding.mode == Mode::hybrid;
    if (measured && binding.system().sm_version.value_or(0) >= kBlackwell)
      curve_ = binding.family<MegaTable>().find(op);
  }
  Price price(const PhasePoint& at) const override {
    return curve_ ? curve_->price({at.tokens}) : Price::failed(Failure::perf_data_not_available);
  }
  std::string explain(const PhasePoint& at) const override {
    return price(at).ok()
               ? ""
               : "the fused expert kernel was not measured so; it needs sm 100, mode SILICON and exactly "
                 "the fields of a row";
  }
  Ground ground(const PhasePoint& at) const override {
    return price(at).ok() ? curve_->ground({at.tokens}) : Ground{};
  }

 private:
  std::shared_ptr<const Surface> curve_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const ExpertCompute& op, const Binding& binding) {
  return std::make_unique<ExpertPricer>(op, binding);
}

std::unique_ptr<const Pricer> bind(const MegaMoe& op, const Binding& binding) {
  return std::make_unique<MegaPricer>(op, binding);
}

}  // namespace perfatlas::aic
