// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mhc/mhc_aic.h"

#include <array>

#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/surface_pricer.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { direction, tokens, hc_mult, hidden };

struct MhcSol {
  double flops = 1, bytes = 2, bandwidth = 1, sinkhorn = 20;
  bool pre = true;

  SolParts parts(double t, double hc, double h) const {
    const double mix = (2 + hc) * hc;
    double operations = 2 * (2 * t * hc * hc * h + 2 * t * hc * h);
    double moved = 2 * t * hc * h * bytes * 2;
    if (pre) {
      operations =
          2 * (2 * t * hc * h * mix + 3 * t * hc * h + t * (hc * hc + 2 * hc) * sinkhorn + 2 * t * hc * h);
      moved += 2 * t * (2 * hc + hc * hc) * 4;
    }
    moved += 2 * (mix * hc * h + mix + 3) * bytes;
    return {operations / flops * 1e3, moved / bandwidth * 1e3};
  }

  /// Both parts in one pass: the weights, and the streams that both touch, are moved once.
  SolParts both(double t, double hc, double h) const {
    MhcSol post = *this;
    post.pre = false;
    SolParts sum = parts(t, hc, h);
    const SolParts other = post.parts(t, hc, h);
    sum.math_ms += other.math_ms;
    sum.memory_ms += 2 * t * hc * h * bytes / bandwidth * 1e3;
    return sum;
  }
};

class MhcTable {
 public:
  MhcTable(const Database& database, SharedLayer shared)
      : rows_(database.rows("mhc_module", shared)),
        fields_(*rows_, {"op_name", "num_tokens", "hc_mult", "hidden_size"}),
        index_(database.table_name("mhc_module"), rows_,
               {fields_.part(direction), fields_.part(hc_mult), fields_.part(hidden)},
               [this](uint32_t row, TableKey& key) {
                 key = {fields_(row, direction), fields_(row, hc_mult), fields_(row, hidden)};
                 return true;
               }) {}

  TableKey key(bool pre, const Mhc& op) const {
    return {fields_.value_of(direction, pre ? "pre" : "post").value_or(-1), op.hc_mult, op.hidden_size};
  }

  std::shared_ptr<const Surface> make(const TableKey& key, const MhcSol& sol) const {
    const TableIndex::Group* group = index_.find(key);
    if (group == nullptr) return nullptr;
    PointList points(*rows_);
    for (const uint32_t row : group->rows) points.add({fields_(row, tokens)}, row);
    const double hc = double(key[1]), h = double(key[2]);
    return std::make_shared<const Surface>(
        AxisLayout{}, std::move(points),
        [sol, hc, h](const Coordinates& at) { return sol.parts(double(at[0]), hc, h).ms(); });
  }

  std::string why_missing(const TableKey& key) const { return index_.why_missing(key); }

 private:
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
};

std::unique_ptr<const Pricer> bind_part(bool pre, const Mhc& op, double flops, const Binding& binding) {
  const MhcSol sol{flops, profile_of(op.quant).bytes, binding.system().mem_bw, double(op.sinkhorn_iters),
                   pre};
  const auto tokens_of = [split = op.seq_split](const PhasePoint& at) {
    return (at.tokens + split - 1) / split;
  };
  SurfaceQuestion question;
  if (binding.mode != Mode::sol) {
    const MhcTable& table = binding.family<MhcTable>();
    const TableKey key = table.key(pre, op);
    question.surface = table.make(key, sol);
    if (!question.surface) question.why_missing = table.why_missing(key);
  }
  question.place = [tokens_of](const PhasePoint& at) { return Coordinates{tokens_of(at)}; };
  question.sol = [tokens_of, sol, hc = double(op.hc_mult), h = double(op.hidden_size)](const PhasePoint& at) {
    return sol.parts(double(tokens_of(at)), hc, h);
  };
  return surface_pricer(std::move(question), binding.mode);
}

class BothParts final : public Pricer {
 public:
  BothParts(std::unique_ptr<const Pricer> pre, std::unique_ptr<const Pricer> post)
      : pre_(std::move(pre)), post_(std::move(post)) {}
  Price price(const PhasePoint& at) const override {
    Price sum = pre_->price(at);
    sum += post_->price(at);
    return sum;
  }
  std::string explain(const PhasePoint& at) const override {
    const std::string why = pre_->explain(at);
    return why.empty() ? post_->explain(at) : why;
  }
  Ground ground(const PhasePoint& at) const override {
    return combined(std::array{pre_->ground(at), post_->ground(at)});
  }

 private:
  std::unique_ptr<const Pricer> pre_, post_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const Mhc& op, const Binding& binding) {
  const MathType math = profile_of(op.quant).math;
  const auto flops = peak_flops(binding.system(), math);
  if (!flops)
    return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(binding.system(), math));
  if (binding.mode == Mode::sol_full)
    return std::make_unique<FailedPricer>(Failure::sol_not_implemented,
                                          "the speed of light of this op has no parts");
  if (op.part != Mhc::Part::both) return bind_part(op.part == Mhc::Part::pre, op, *flops, binding);
  if (binding.mode == Mode::sol) {
    SurfaceQuestion question;
    question.sol = [sol = MhcSol{*flops, profile_of(op.quant).bytes, binding.system().mem_bw,
                                 double(op.sinkhorn_iters), true},
                    op](const PhasePoint& at) {
      return sol.both(double((at.tokens + op.seq_split - 1) / op.seq_split), double(op.hc_mult),
                      double(op.hidden_size));
    };
    return surface_pricer(std::move(question), binding.mode);
  }
  return std::make_unique<BothParts>(bind_part(true, op, *flops, binding),
                                     bind_part(false, op, *flops, binding));
}

}  // namespace perfatlas::aic
