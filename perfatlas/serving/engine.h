// SPDX-License-Identifier: Apache-2.0
// The serving engines whose schedulers are known here.
#pragma once

#include <optional>
#include <string_view>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

enum class Engine { vllm, sglang, trtllm, llama_cpp };

template <>
inline constexpr auto kEnumNames<Engine> =
    std::array{EnumName<Engine>{Engine::vllm, "vllm"}, EnumName<Engine>{Engine::sglang, "sglang"},
               EnumName<Engine>{Engine::trtllm, "trtllm"},
               EnumName<Engine>{Engine::llama_cpp, "llama_cpp", "llama.cpp"}};

}  // namespace perfatlas
