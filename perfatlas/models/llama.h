// SPDX-License-Identifier: Apache-2.0
// Dense decoder-only transformers: Llama, Qwen2, Qwen3, MiMo.
#pragma once

#include "perfatlas/models/model.h"

namespace perfatlas {

std::vector<std::string_view> llama_architectures();

std::unique_ptr<Model> make_llama(const HfConfig& config, const OpRegistry& ops);

}  // namespace perfatlas
