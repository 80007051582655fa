// SPDX-License-Identifier: Apache-2.0
// The model families: one file each, which reads the configuration's sizes and lists the ops of a step.
#pragma once

#include "perfatlas/models/model.h"
#include "perfatlas/models/step_builder.h"

namespace perfatlas {

/// What a family makes a model from.
struct ModelSource {
  HfConfig config;           // the language model's part of config.json
  std::string architecture;  // architectures[0]
  ModelTypes types;
  const OpRegistry& ops;  // outlives the model
};

// Each make_* throws Error naming a missing or malformed key.

/// Dense decoder-only transformers with RMS norms and a gated feed-forward network: Llama, Mistral, Qwen2, Qwen3, Phi-3
/// and the language models of Mistral 3, Qwen2.5-VL and Qwen3-VL.
std::vector<std::string_view> llama_architectures();
std::unique_ptr<Model> make_llama(const ModelSource& source);

/// The same with routed experts: Mixtral, Qwen2-MoE, Qwen3-MoE, gpt-oss, MiniMax-M2, Granite-MoE, GLM-4.5.
std::vector<std::string_view> mixture_architectures();
std::unique_ptr<Model> make_mixture(const ModelSource& source);

/// Multi-head latent attention with routed and shared experts: DeepSeek-V2, V3 and R1, Kimi-K2.
std::vector<std::string_view> deepseek_architectures();
std::unique_ptr<Model> make_deepseek(const ModelSource& source);

/// Layers of Mamba2, attention, dense or routed feed-forward, in a written pattern: Nemotron-H, Nemotron-3.
std::vector<std::string_view> nemotron_h_architectures();
std::unique_ptr<Model> make_nemotron_h(const ModelSource& source);

/// Layers of gated delta nets and attention, dense or with routed experts: Qwen3.5, Qwen3-Next.
std::vector<std::string_view> qwen3_5_architectures();
std::unique_ptr<Model> make_qwen3_5(const ModelSource& source);

}  // namespace perfatlas
