// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mamba2/mamba2_aic.h"

#include "perfatlas/aic/linear_attention.h"
#include "perfatlas/aic/linear_table.h"

namespace perfatlas::aic {
namespace {

struct Mamba2Family {
  LinearTable table;
  Mamba2Family(const Database& database, SharedLayer shared)
      : table("mamba2", {"d_model", "d_state", "d_conv", "nheads", "head_dim", "n_groups", "chunk_size"},
              database, shared) {}
};

std::function<double(const LinearLoad&)> bytes_of(const Mamba2& op) {
  const double inner = double(op.nheads * op.head_dim), groups = double(2 * op.n_groups * op.d_state);
  if (op.kernel_source == "causal_conv1d_fn" || op.kernel_source == "causal_conv1d_update")
    return [channels = inner + groups, width = double(op.d_conv)](const LinearLoad& load) {
      return convolution_bytes(load.x, channels, width);
    };
  return [=, heads = double(op.nheads)](const LinearLoad& load) {
    return load.x * (inner + groups + heads) * 2 + load.x * inner * 2;
  };
}

}  // namespace

std::unique_ptr<const Pricer> bind(const Mamba2& op, const Binding& binding) {
  LinearQuestion question{.phase = op.phase,
                          .seq_split = op.seq_split,
                          .bytes = bytes_of(op),
                          .bandwidth = binding.system().mem_bw};
  if (binding.mode != Mode::sol_full && op.phase == SsmPhase::context) {
    const LinearTable& table = binding.family<Mamba2Family>().table;
    const LinearTable::Shape shape{op.d_model,  op.d_state,  op.d_conv,    op.nheads,
                                   op.head_dim, op.n_groups, op.chunk_size};
    PointList points = table.points(op.kernel_source, op.phase, shape);
    if (points.empty())
      if (const auto other = table.least(op.kernel_source, op.phase, op.d_model))
        points = table.points(op.kernel_source, op.phase, *other);
    if (!points.empty())
      question.surface = std::make_shared<const Surface>(
          AxisLayout{.axes = 2}, std::move(points), linear_sol(op.phase, question.bytes, question.bandwidth));
  }
  return linear_pricer(std::move(question), binding.mode);
}

}  // namespace perfatlas::aic
