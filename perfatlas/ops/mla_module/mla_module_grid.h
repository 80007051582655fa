// SPDX-License-Identifier: Apache-2.0
// The grids of whole latent attention blocks, dense and sparse. Values and guards of the published one: module
// collectors of aiconfigurator.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "perfatlas/ops/mla_module/mla_module_case.h"

namespace perfatlas {

/// A checkpoint of the published grid.
struct AicModel {
  std::string_view model, architecture;
};

using MlaModuleSink = std::function<void(const MlaModuleCase&)>;

/// 122 pairs of batch and isl with at most 131,072 tokens (sglang: also at most 8 sequences from isl 8192 on), local
/// heads 1 to 128 (sglang: from 16), and types: bf16, fp8_block from sm 89 and nvfp4 from sm 100 (sglang: bf16) times
/// `kv_types`. No prefix.
void emit_aic_context_modules(const AicGrid& grid, std::span<const AicModel> models,
                              std::span<const DType> kv_types, const MlaModuleSink& sink);

/// 184 pairs of batch and step with at most 2^25 cached tokens (sglang: 262,144, and at most 16 sequences from 8192
/// on); otherwise as for context. `step` is what the published tables hold in that column: a power of two.
void emit_aic_generation_modules(const AicGrid& grid, std::span<const AicModel> models,
                                 std::span<const DType> kv_types, const MlaModuleSink& sink);

/// Every prototype x kBatchLadder x kSequenceLadder, within the published token guards: isl new tokens without prefix,
/// or one new token after as many cached ones.
void emit_model_context_modules(const std::vector<MlaModuleCase>& prototypes, const MlaModuleSink& sink);
void emit_model_generation_modules(const std::vector<MlaModuleCase>& prototypes, const MlaModuleSink& sink);

/// The prototypes of one op without its type.
template <class Op>
std::vector<MlaModuleCase> mla_prototypes(const ModelShapes& shapes) {
  const std::vector<Op> found = shapes.of<Op>();
  return {found.begin(), found.end()};
}

}  // namespace perfatlas
