// SPDX-License-Identifier: Apache-2.0
// The serving engines whose schedulers are known here.
#pragma once

#include <optional>
#include <string_view>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

enum class ServingEngine { vllm, sglang, trtllm, llama_cpp };

template <>
inline constexpr auto kEnumNames<ServingEngine> =
    std::array{EnumName<ServingEngine>{ServingEngine::vllm, "vllm"},
               EnumName<ServingEngine>{ServingEngine::sglang, "sglang"},
               EnumName<ServingEngine>{ServingEngine::trtllm, "trtllm"},
               EnumName<ServingEngine>{ServingEngine::llama_cpp, "llama_cpp", "llama.cpp"}};

}  // namespace perfatlas
