// SPDX-License-Identifier: Apache-2.0
// The sizes of multi-head latent attention in DeepSeek-V2, V3 and Kimi-K2 (DeepSeek-V2, arXiv:2405.04434, section 2.1
// and table of hyper-parameters): one place, used by every op of the family.
#pragma once

#include <cstdint>

namespace perfatlas {

inline constexpr int64_t kMlaLatent = 512;  // kv_lora_rank: compressed keys and values of a token
inline constexpr int64_t kMlaRope = 64;     // rotated part of a key, shared by all heads
inline constexpr int64_t kMlaNope = 128;    // part of a key that is not rotated, per head
inline constexpr int64_t kMlaValue = 128;   // value of a token, per head
inline constexpr int64_t kMlaKey = kMlaNope + kMlaRope;       // a key (and query) as prefill sees it
inline constexpr int64_t kMlaCached = kMlaLatent + kMlaRope;  // what the cache holds of a token

}  // namespace perfatlas
