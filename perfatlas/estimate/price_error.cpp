// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/price_error.h"

#include <algorithm>
#include <variant>
#include <vector>

namespace perfatlas::estimate {
namespace {

constexpr PriceError kGemm{0.232, 0.454}, kContextAttention{0.099, 0.447}, kGenerationAttention{0.138, 0.799},
    kContextMla{0.106, 0.613}, kGenerationMla{0.070, 0.694}, kMlaBmm{0.083, 0.794}, kMoe{0.108, 0.967},
    kAllReduce{0.088, 0.573}, kCollective{0.107, 1.127}, kSparse{0.183, 0.689}, kUnknown{0.232, 1.127};
// Of a slice that was never measured, estimated from another: MoE splits left out whole.
constexpr double kTransferred = 0.835;

std::optional<PriceError> widest(const std::vector<aic::Op>& ops) {
  std::optional<PriceError> widest;
  for (const aic::Op& op : ops)
    if (const auto error = price_error_of(op)) {
      if (!widest) widest.emplace();
      widest->inside = std::max(widest->inside, error->inside);
      widest->beyond = std::max(widest->beyond, error->beyond);
    }
  return widest;
}

struct ErrorOf {
  std::optional<PriceError> operator()(const aic::Gemm&) const { return kGemm; }
  std::optional<PriceError> operator()(const aic::Embedding&) const { return std::nullopt; }
  std::optional<PriceError> operator()(const aic::ElementWise&) const { return std::nullopt; }
  std::optional<PriceError> operator()(const aic::Overlap& op) const {
    std::vector<aic::Op> parts = op.group_a;
    parts.insert(parts.end(), op.group_b.begin(), op.group_b.end());
    return widest(parts);
  }
  std::optional<PriceError> operator()(const aic::Fallback& op) const { return widest(op.primary); }
  std::optional<PriceError> operator()(const aic::MlaModule& op) const {
    return op.context ? kContextMla : kGenerationMla;
  }
  std::optional<PriceError> operator()(const aic::ContextAttention&) const { return kContextAttention; }
  std::optional<PriceError> operator()(const aic::GenerationAttention&) const { return kGenerationAttention; }
  std::optional<PriceError> operator()(const aic::ContextMla&) const { return kContextMla; }
  std::optional<PriceError> operator()(const aic::GenerationMla&) const { return kGenerationMla; }
  std::optional<PriceError> operator()(const aic::MlaBmm&) const { return kMlaBmm; }
  std::optional<PriceError> operator()(const aic::Moe&) const { return kMoe; }
  std::optional<PriceError> operator()(const aic::CustomAllReduce&) const { return kAllReduce; }
  std::optional<PriceError> operator()(const aic::Nccl&) const { return kCollective; }
  std::optional<PriceError> operator()(const aic::DsaModule&) const { return kSparse; }
  template <class Op>
  std::optional<PriceError> operator()(const Op&) const {
    return kUnknown;
  }
};

}  // namespace

std::optional<PriceError> price_error_of(const aic::Op& op) { return std::visit(ErrorOf{}, op.value); }

std::optional<double> relative_error(const std::optional<PriceError>& error, const aic::Price& price,
                                     EstimateKind kind) {
  if (!error || price.source == aic::Source::sol) return std::nullopt;
  if (price.provenance >= aic::Provenance::xshape) return kTransferred;
  if (price.source != aic::Source::silicon) return error->beyond;
  switch (kind) {
    case EstimateKind::exact:
      return 0;
    case EstimateKind::interpolated:
      return error->inside;
    default:
      return error->beyond;
  }
}

}  // namespace perfatlas::estimate
