// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/llama.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

/// The sizes that config.json fixes.
struct LlamaSizes {
  int64_t layers, hidden, inter, vocab, heads, kv_heads, head_dim, window;
  Quant dtype;
};

Quant weight_type(const HfConfig& config) {
  const auto written = config.text_if("torch_dtype");
  const std::string name = written ? *written : config.text_if("dtype").value_or("");
  const auto quant = FieldCodec<Quant>::parse(name);
  if (!quant)
    throw Error(fmt::format("{}: key 'torch_dtype' is '{}', expected bfloat16, float16 or float32",
                            config.origin(), name));
  return Quant(*quant);
}

LlamaSizes read_sizes(const HfConfig& config) {
  LlamaSizes s{};
  s.layers = config.positive("num_hidden_layers");
  s.hidden = config.positive("hidden_size");
  s.inter = config.positive("intermediate_size");
  s.vocab = config.positive("vocab_size");
  s.heads = config.positive("num_attention_heads");
  s.kv_heads = config.positive_if("num_key_value_heads").value_or(s.heads);
  s.head_dim = config.positive_if("head_dim").value_or(s.hidden / s.heads);
  // Qwen writes a window that is switched off by use_sliding_window.
  const auto window = config.positive_if("sliding_window");
  s.window = window && config.flag("use_sliding_window") ? *window : 0;
  s.dtype = weight_type(config);
  if (s.heads % s.kv_heads != 0)
    throw Error(fmt::format("{}: num_attention_heads {} is no multiple of num_key_value_heads {}",
                            config.origin(), s.heads, s.kv_heads));
  return s;
}

class LlamaModel : public Model {
 public:
  LlamaModel(const LlamaSizes& sizes, const OpRegistry& ops)
      : sizes_(sizes),
        gemm_(ops.get(Gemm::info.id)),
        norm_(ops.get(AddRmsNorm::info.id)),
        context_(ops.get(AttentionContext::info.id)),
        generation_(ops.get(AttentionGeneration::info.id)) {}

  std::string why_not_tp(int64_t tp) const override {
    if (tp >= 1 && sizes_.heads % tp == 0) return {};
    return fmt::format("tp {} does not divide {} attention heads", tp, sizes_.heads);
  }

  std::vector<OpUse> step(const StepShape& shape, int64_t tp) const override {
    const LlamaSizes& s = sizes_;
    const int64_t heads = s.heads / tp;
    const int64_t kv_heads =
        (s.kv_heads + tp - 1) / tp;  // KV heads are replicated when there are fewer than ranks
    const int64_t tokens = shape.tokens();
    const auto linear = [&](int64_t rows, int64_t out, int64_t in) {
      return make_case(gemm_, Gemm{s.dtype, rows, out, in});
    };
    const Case norm = make_case(norm_, AddRmsNorm{traits_of(s.dtype).activation, tokens, s.hidden});
    return {
        {"add_norm_1", norm, s.layers},
        {"qkv_gemm", linear(tokens, (heads + 2 * kv_heads) * s.head_dim, s.hidden), s.layers},
        {"attention", attention(shape, heads, kv_heads), s.layers},
        {"proj_gemm", linear(tokens, s.hidden, heads * s.head_dim), s.layers},
        {"add_norm_2", norm, s.layers},
        {"gate_ffn1_gemm", linear(tokens, 2 * s.inter / tp, s.hidden), s.layers},
        {"ffn2_gemm", linear(tokens, s.hidden, s.inter / tp), s.layers},
        {"logits_gemm", linear(shape.batch, s.vocab / tp, s.hidden), 1},  // last token of each request only
    };
  }

 private:
  Case attention(const StepShape& shape, int64_t heads, int64_t kv_heads) const {
    const auto fill = [&](auto op) {
      op.batch = shape.batch;
      op.heads = heads;
      op.kv_heads = kv_heads;
      op.head_dim = sizes_.head_dim;
      op.window = sizes_.window;
      op.dtype = op.kv_dtype = traits_of(sizes_.dtype).activation;
      op.step = shape.cached;
      return op;
    };
    if (shape.phase == Phase::generation) return make_case(generation_, fill(AttentionGeneration{}));
    AttentionContext op = fill(AttentionContext{});
    op.isl = shape.isl;
    return make_case(context_, op);
  }

  LlamaSizes sizes_;
  const OpType& gemm_;
  const OpType& norm_;
  const OpType& context_;
  const OpType& generation_;
};

}  // namespace

std::vector<std::string_view> llama_architectures() {
  return {"LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "MiMoForCausalLM"};
}

std::unique_ptr<Model> make_llama(const HfConfig& config, const OpRegistry& ops) {
  return std::make_unique<LlamaModel>(read_sizes(config), ops);
}

}  // namespace perfatlas
