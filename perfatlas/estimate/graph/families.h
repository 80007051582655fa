// SPDX-License-Identifier: Apache-2.0
// The model families, one file each: what they read from the configuration and which ops a step of them issues.
#pragma once

#include <memory>

#include "perfatlas/estimate/served_model.h"

namespace perfatlas::estimate {

// Each make_* throws Error naming a missing or malformed key.

/// Dense decoder-only transformers: Llama, Qwen2, Qwen3, MiMo; the language model of Qwen3-VL.
std::unique_ptr<ServedModel> make_llama(const Checkpoint& checkpoint);
/// The same with routed experts: Mixtral, Qwen2-MoE, Qwen3-MoE, gpt-oss, MiniMax-M2, and in Qwen3-VL-MoE.
std::unique_ptr<ServedModel> make_mixture(const Checkpoint& checkpoint);
/// Latent attention with routed and shared experts: DeepSeek-V3 and R1, Kimi-K2.
std::unique_ptr<ServedModel> make_deepseek(const Checkpoint& checkpoint);
/// Latent attention over selected tokens: DeepSeek-V3.2, GLM-5.
std::unique_ptr<ServedModel> make_deepseek_v32(const Checkpoint& checkpoint);
/// Compressed attention with hyper-connections: DeepSeek-V4.
std::unique_ptr<ServedModel> make_deepseek_v4(const Checkpoint& checkpoint);
/// Delta attention and latent attention with latent experts: Kimi-K3.
std::unique_ptr<ServedModel> make_kimi_k3(const Checkpoint& checkpoint);
/// Global and sliding attention, routed and dense layers mixed: MiMo-V2, Llama-4.
std::unique_ptr<ServedModel> make_hybrid_moe(const Checkpoint& checkpoint);
/// The same with a shared expert: Step-3.5, Step-3.7.
std::unique_ptr<ServedModel> make_step3(const Checkpoint& checkpoint);
/// Sliding and global attention with a shared feed-forward layer beside the experts: Gemma-4.
std::unique_ptr<ServedModel> make_gemma4(const Checkpoint& checkpoint);
/// Layers of Mamba2, attention, dense or routed feed-forward in a written pattern: Nemotron-H, Nemotron-3.
std::unique_ptr<ServedModel> make_nemotron_h(const Checkpoint& checkpoint);
/// Llama with a different shape in every layer: Nemotron-Super.
std::unique_ptr<ServedModel> make_nemotron_nas(const Checkpoint& checkpoint);
/// Gated delta nets and attention, dense or with routed experts: Qwen3.5.
std::unique_ptr<ServedModel> make_qwen35(const Checkpoint& checkpoint);
/// Block-sparse attention with routed and shared experts: MiniMax-M3.
std::unique_ptr<ServedModel> make_minimax_m3(const Checkpoint& checkpoint);

}  // namespace perfatlas::estimate
