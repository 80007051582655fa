// SPDX-License-Identifier: Apache-2.0
// Which part of a layer a module of a checkpoint belongs to, by its name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace perfatlas {

/// Parts of a model whose linear layers a checkpoint may quantise differently: what goes into attention or another
/// mixer of tokens, what comes out of it, dense feed-forward layers, shared and routed experts.
enum class ModuleKind { projection, output, dense, shared_expert, experts };
inline constexpr ModuleKind kModuleKinds[] = {ModuleKind::projection, ModuleKind::output, ModuleKind::dense,
                                              ModuleKind::shared_expert, ModuleKind::experts};

/// Whether a module name or a pattern ("model.layers.3.self_attn.q_proj", "re:.*mlp.gate_proj.*", "Linear") names
/// linear layers of that part. "Linear" names all of them; a norm, a router, the gates of linear attention, a whole
/// layer or the model names none.
bool names_kind(const std::string& pattern, ModuleKind kind);

/// Whether patterns leave out a part in most of `layers` layers: by a pattern without a layer's number, or by at least
/// half of the numbers. Checkpoints often keep the first and last layers whole; those stand for no other layer.
bool leaves_out(const std::vector<std::string>& patterns, ModuleKind kind, int64_t layers);

}  // namespace perfatlas
