// SPDX-License-Identifier: Apache-2.0
// Grids of expert layers. Values and guards of the published one: the collectors of aiconfigurator for TensorRT-LLM,
// vLLM and SGLang.
#include <algorithm>

#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {
namespace {

struct PublishedModel {
  int64_t hidden, inter, topk, experts;
  int64_t most_tp = 32;
  bool mxfp4 = false;  // measured in 4-bit microscaling formats only
  bool gated = true;
};

constexpr PublishedModel kGrid[] = {
    {4096, 14336, 2, 8},                      // Mixtral 8x7B
    {6144, 16384, 2, 8},                      // Mixtral 8x22B
    {7168, 2048, 8, 256},                     // DeepSeek-V3
    {6144, 2048, 8, 256},                     // GLM-5
    {2048, 768, 8, 128, 4},                   // Qwen3-30B-A3B
    {4096, 1536, 8, 128},                     // Qwen3-235B-A22B
    {6144, 2560, 8, 160},                     // Qwen3-Coder-480B
    {7168, 2048, 8, 384},                     // Kimi-K2
    {3072, 1536, 8, 256},                     // MiniMax-M2.5
    {2880, 2880, 4, 128, 32, true},           // gpt-oss-120b
    {2880, 2880, 4, 32, 32, true},            // gpt-oss-20b
    {2688, 1856, 6, 128, 32, false, false},   // Nemotron-3 Nano
    {4096, 2688, 22, 512, 32, false, false},  // Nemotron-3 Super
};

/// Not in the grid, but in published tables, and not gated.
constexpr PublishedModel kFurtherUngated[] = {
    {1024, 2688, 22, 512},  // Nemotron-3 Super, latent
    {8192, 5120, 22, 512},  // Nemotron-3 Ultra
    {2048, 5120, 22, 512},  // Nemotron-3 Ultra, latent
};

bool is_shape(const Moe& op, const PublishedModel& model) {
  return op.hidden == model.hidden && op.inter == model.inter && op.topk == model.topk &&
         op.experts == model.experts;
}

constexpr int64_t kAicTokens[] = {1,    2,    4,    8,    16,   32,   48,   64,    80,
                                  96,   128,  160,  192,  256,  320,  384,  512,   768,
                                  1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384};

/// Where a type is measured at all: from which GPU generation, for which models.
bool is_measured(Quant quant, const AicGrid& grid, const PublishedModel& model) {
  const int sm = grid.sm_version;
  const bool trtllm = grid.framework == AicFramework::trtllm, sglang = grid.framework == AicFramework::sglang;
  switch (quant) {
    case Quant::bf16:
      return !model.mxfp4;
    case Quant::fp8:
      return !model.mxfp4 && sm > 86 && !sglang;
    case Quant::fp8_block:
      return !model.mxfp4 && (trtllm ? sm > 86 : sm >= 90);
    case Quant::nvfp4:
      return !model.mxfp4 && sm >= 100;
    case Quant::w4a16_mxfp4:
      return model.mxfp4 && !sglang && (!trtllm || sm == 90 || sm >= 100);
    case Quant::w4a8_mxfp4_mxfp8:
      return model.mxfp4 && trtllm && sm >= 100;
    default:
      return false;
  }
}

/// Whether the frameworks' kernels take the shape: their tiles and scale blocks must fit.
bool is_aligned(const Moe& op, AicFramework framework) {
  const int64_t inter = op.local_inter();
  switch (framework) {
    case AicFramework::trtllm:
      if (op.dtype == Quant::fp8_block && (op.hidden % 128 != 0 || inter % 128 != 0)) return false;
      return inter % (256 / bits_of(traits_of(op.dtype).weight)) == 0;
    case AicFramework::vllm:
      if (op.tp > 1 && op.ep > 1) return false;
      if (op.dtype == Quant::fp8_block) return op.hidden % 128 == 0 && inter % 128 == 0;
      if (op.dtype == Quant::nvfp4) return op.hidden % 512 == 0 && inter % 64 == 0 && op.topk <= 10;
      return op.dtype != Quant::w4a16_mxfp4 || (op.hidden % 32 == 0 && inter % 32 == 0);
    case AicFramework::sglang:
      if (op.dtype == Quant::fp8_block) return op.hidden % 128 == 0 && op.inter % 128 == 0;
      return op.dtype != Quant::nvfp4 || inter % 16 == 0;
  }
  return false;
}

void emit_tokens(Moe op, const AicGrid& grid, const CaseSink<Moe>& sink) {
  for (const std::string_view distribution : {"balanced", "power_law_1.01", "power_law_1.2"}) {
    if (grid.framework == AicFramework::sglang && distribution == "balanced") continue;
    op.distribution = Symbol(distribution);
    for (const int64_t tokens : kAicTokens) {
      op.tokens = tokens;
      sink(op);
    }
  }
}

void emit_splits(Moe op, const AicGrid& grid, const PublishedModel& model, const CaseSink<Moe>& sink) {
  for (op.tp = 1; op.tp <= model.most_tp; op.tp *= 2)
    for (op.ep = 1; op.ep * op.tp <= 256; op.ep *= 2) {
      if (op.experts % op.ep != 0 || op.inter % op.tp != 0 || !is_aligned(op, grid.framework)) continue;
      emit_tokens(op, grid, sink);
      const bool second_kernel =
          grid.framework == AicFramework::trtllm && op.dtype == Quant::nvfp4 && op.experts <= 256;
      if (second_kernel) emit_tokens(op, grid, sink);
    }
}

}  // namespace

bool Moe::published_as_gated() const {
  const auto is_ungated = [&](const PublishedModel& model) { return !model.gated && is_shape(*this, model); };
  return std::none_of(std::begin(kGrid), std::end(kGrid), is_ungated) &&
         std::none_of(std::begin(kFurtherUngated), std::end(kFurtherUngated),
                      [&](const PublishedModel& model) { return is_shape(*this, model); });
}

void Moe::model_cases(const ModelShapes& shapes, const CaseSink<Moe>& sink) {
  const Symbol distributions[] = {Symbol("balanced"), Symbol("power_law_1.01"), Symbol("power_law_1.2")};
  for (Moe op : shapes.of<Moe>()) {
    std::vector<Symbol> swept(std::begin(distributions), std::end(distributions));
    if (std::find(swept.begin(), swept.end(), op.distribution) == swept.end())
      swept.push_back(op.distribution);
    for (const Symbol distribution : swept)
      for (const int64_t tokens : kTokenLadder) {
        op.tokens = tokens, op.distribution = distribution;
        sink(op);
      }
  }
}

void Moe::aic_cases(const AicGrid& grid, const CaseSink<Moe>& sink) {
  constexpr Quant kQuants[] = {Quant::bf16,  Quant::fp8,         Quant::fp8_block,
                               Quant::nvfp4, Quant::w4a16_mxfp4, Quant::w4a8_mxfp4_mxfp8};
  for (const PublishedModel& model : kGrid)
    for (const Quant quant : kQuants)
      if (is_measured(quant, grid, model))
        emit_splits({.dtype = quant,
                     .hidden = model.hidden,
                     .inter = model.inter,
                     .topk = model.topk,
                     .experts = model.experts,
                     .gated = model.gated},
                    grid, model, sink);
}

}  // namespace perfatlas
