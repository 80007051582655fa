// SPDX-License-Identifier: Apache-2.0
// What stands between the matrix products of the chunked delta rule, for `rows` tokens of one head; see
// gdn_cpu_chunks.cpp for the symbols. REQUIRES everywhere: AVX-512 with its bf16 extension.
#pragma once

#include <cstddef>

#include "perfatlas/ops/gdn/gdn.h"

namespace perfatlas {

/// Scratch of one thread. All dense.
struct GdnScratch {
  uint16_t* qk = nullptr;      // [2 * rows][k_dim]: normalised queries, then keys
  float* gram = nullptr;       // [2 * rows][rows]: q k^T, then k k^T
  uint16_t* state = nullptr;   // [k_dim][v_dim]: S rounded for reading
  float* read = nullptr;       // [2 * rows][v_dim]: S^T q, then S^T k; the first half becomes the output
  float* system = nullptr;     // [rows][rows]: the triangular system below its diagonal of ones
  uint16_t* masked = nullptr;  // [rows][rows]: exp(c[t] - c[u]) (q[t] . k[u]) for u <= t
  float* changes = nullptr;    // [rows][v_dim]: right side, then w
  uint16_t* rounded_changes = nullptr;           // w
  uint16_t* weighted_keys = nullptr;             // [rows][k_dim]: exp(c[end] - c[u]) k[u]
  float *log2_decay = nullptr, *beta = nullptr;  // [rows]: c in powers of two
  std::byte* scratchpad = nullptr;
};

/// Rows of one key head, scaled to length `scale`.
void gdn_gather_keys(const Gdn& op, const uint16_t* from, float scale, int64_t rows, uint16_t* to);
/// log2_decay and beta, from the gates of one value head.
void gdn_read_gates(const Gdn& op, const float* g, const uint16_t* beta, int64_t rows, const GdnScratch& s);
/// system and masked, from gram and the gates.
void gdn_mask(int64_t rows, const GdnScratch& s);
void gdn_weigh_keys(const Gdn& op, int64_t rows, const GdnScratch& s);
/// Rounds S for reading and lets it decay over the whole chunk.
void gdn_round_state(const Gdn& op, float log2_decay, const GdnScratch& s, float* state);
/// changes = beta[t] * (v[t] - exp(c[t]) S^T k[t]), and the first half of read times exp(c[t]); S counts as zero when
/// `first`.
void gdn_right_side(const Gdn& op, const uint16_t* v, bool first, int64_t rows, const GdnScratch& s);
/// Solves for w in place and rounds it.
void gdn_solve(const Gdn& op, int64_t rows, const GdnScratch& s);
/// The first half of read, as bf16 rows of one value head.
void gdn_write_out(const Gdn& op, int64_t rows, const GdnScratch& s, uint16_t* o);

}  // namespace perfatlas
