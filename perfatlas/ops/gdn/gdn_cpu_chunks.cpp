// SPDX-License-Identifier: Apache-2.0
// The chunked delta rule (Yang, Wang, Zhang, Shen and Kim, "Parallelizing linear transformers with the delta rule over
// sequence length", 2024, with the decay of gated delta networks). With c the logarithm of the decay since the start of
// the chunk and S the state before it, the changes w that the tokens of a chunk make are the solution of
//
//   w[t] + beta[t] * sum over u < t of exp(c[t] - c[u]) (k[t] . k[u]) w[u] = beta[t] * (v[t] - exp(c[t]) S^T k[t])
//
// and with them o[t] = exp(c[t]) S^T q[t] + sum over u <= t of exp(c[t] - c[u]) (q[t] . k[u]) w[u], while the state
// becomes exp(c[end]) S + sum over u of exp(c[end] - c[u]) k[u] w[u]^T. Products are oneDNN matmuls on bf16 operands
// with fp32 sums; the triangular system and the state stay fp32.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "perfatlas/ops/gdn/gdn_cpu.h"
#include "perfatlas/ops/gdn/gdn_cpu_chunk_steps.h"
#include "perfatlas/ops/mamba2/small_matmuls_cpu.h"

namespace perfatlas {
namespace {

/// The products of chunks of one length.
struct ChunkMatmuls {
  int gram = 0;                          // [q; k] k^T
  int read = 0;                          // [q; k] S
  int intra_first = 0, intra_added = 0;  // masked q k^T times w, alone or on top of q S
  int state_first = 0, state_added = 0;  // k^T w, alone or on top of the decayed state
};

class ChunkedRule final : public PreparedKernel {
 public:
  ChunkedRule(const Gdn& op, CpuDevice& device)
      : op_(op),
        threads_(device.threads()),
        chunk_(std::min(Gdn::kChunk, op.seq)),
        matmuls_(threads_, device.onednn()) {
    whole_ = add_matmuls(chunk_);
    if (op.seq % chunk_ != 0) rest_ = add_matmuls(op.seq % chunk_);
    // A key head's products serve all its value heads; key heads are only split when there are fewer than threads.
    const int64_t keys = op.batch * op.k_heads;
    parts_ = std::clamp<int64_t>((threads_ + keys - 1) / keys, 1, op.v_heads / op.k_heads);
  }

  /// The products are bf16: q and k after normalisation, the solved updates and the state are each rounded to it once
  /// more than in the recurrence. Four roundings of 2^-9, larger where few elements leave them unaveraged; 1.2e-2 was
  /// the most seen.
  double allowed_error() const override { return 2e-2; }

  size_t workspace_bytes() const override { return size_t(threads_) * scratch_bytes(); }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    const GdnMemory memory(operands);
    const int64_t pieces = op_.batch * op_.k_heads * parts_;
    const int threads = int(std::min<int64_t>(threads_, pieces));
    std::exception_ptr failure;  // none may leave the parallel region
#pragma omp parallel num_threads(threads)
    {
      const int thread = omp_get_thread_num();
      GdnScratch scratch;
      lay_out(static_cast<std::byte*>(workspace) + size_t(thread) * scratch_bytes(), scratch);
#pragma omp for schedule(dynamic, 1)
      for (int64_t piece = 0; piece < pieces; ++piece) try {
          run_part(memory, piece, thread, scratch);
        } catch (...) {
#pragma omp critical
          failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
  }

 private:
  ChunkMatmuls add_matmuls(int64_t rows) {
    const int64_t key = op_.k_dim, value = op_.v_dim;
    return {.gram = matmuls_.add({.rows = 2 * rows, .depth = key, .columns = rows, .b_transposed = true}),
            .read = matmuls_.add({.rows = 2 * rows, .depth = key, .columns = value}),
            .intra_first = matmuls_.add({.rows = rows, .depth = rows, .columns = value}),
            .intra_added = matmuls_.add({.rows = rows, .depth = rows, .columns = value, .accumulate = true}),
            .state_first = matmuls_.add({.rows = key, .depth = rows, .columns = value, .a_transposed = true}),
            .state_added = matmuls_.add(
                {.rows = key, .depth = rows, .columns = value, .a_transposed = true, .accumulate = true})};
  }

  /// Bytes of one thread's scratch; its parts are found from `start` unless that is null.
  size_t lay_out(std::byte* start, GdnScratch& s) const {
    size_t bytes = 0;
    const auto take = [&](auto*& pointer, int64_t elements) {
      if (start != nullptr)
        pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(start + bytes);
      bytes += (size_t(elements) * sizeof(*pointer) + 63) / 64 * 64;
    };
    take(s.qk, 2 * chunk_ * op_.k_dim);
    take(s.gram, 2 * chunk_ * chunk_);
    take(s.state, op_.k_dim * op_.v_dim);
    take(s.read, 2 * chunk_ * op_.v_dim);
    take(s.system, chunk_ * chunk_);
    take(s.masked, chunk_ * chunk_);
    take(s.changes, chunk_ * op_.v_dim);
    take(s.rounded_changes, chunk_ * op_.v_dim);
    take(s.weighted_keys, chunk_ * op_.k_dim);
    take(s.log2_decay, chunk_);
    take(s.beta, chunk_);
    take(s.scratchpad, int64_t(matmuls_.scratchpad_bytes()));
    return (bytes + 4095) / 4096 * 4096;
  }
  size_t scratch_bytes() const {
    GdnScratch unused;
    return lay_out(nullptr, unused);
  }

  void run_part(const GdnMemory& memory, int64_t piece, int thread, const GdnScratch& s) {
    const int64_t part = piece % parts_, key = piece / parts_ % op_.k_heads,
                  sequence = piece / parts_ / op_.k_heads;
    const int64_t heads = op_.v_heads / op_.k_heads, first = key * heads + heads * part / parts_,
                  last = key * heads + heads * (part + 1) / parts_;
    for (int64_t begin = 0; begin < op_.seq; begin += chunk_) {
      const int64_t rows = std::min(chunk_, op_.seq - begin), token = sequence * op_.seq + begin;
      const int64_t offset = (token * op_.k_heads + key) * op_.k_dim;
      gdn_gather_keys(op_, memory.q + offset, 1 / std::sqrt(float(op_.k_dim)), rows, s.qk);
      gdn_gather_keys(op_, memory.k + offset, 1, rows, s.qk + rows * op_.k_dim);
      const ChunkMatmuls& use = rows == chunk_ ? whole_ : rest_;
      matmuls_.run(use.gram, thread, {s.qk, s.qk + rows * op_.k_dim, s.gram, s.scratchpad});
      for (int64_t head = first; head < last; ++head)
        run_head(memory, {sequence, head, token, rows}, thread, s);
    }
  }

  struct HeadChunk {
    int64_t sequence, head, token, rows;
  };

  void run_head(const GdnMemory& memory, const HeadChunk& at, int thread, const GdnScratch& s) {
    const ChunkMatmuls& use = at.rows == chunk_ ? whole_ : rest_;
    const bool first = at.token == at.sequence * op_.seq;
    const int64_t offset = (at.token * op_.v_heads + at.head) * op_.v_dim;
    float* const state = memory.state + (at.sequence * op_.v_heads + at.head) * op_.k_dim * op_.v_dim;
    gdn_read_gates(op_, memory.g + at.token * op_.v_heads + at.head,
                   memory.beta + at.token * op_.v_heads + at.head, at.rows, s);
    gdn_mask(at.rows, s);
    gdn_weigh_keys(op_, at.rows, s);
    if (!first) {
      gdn_round_state(op_, s.log2_decay[at.rows - 1], s, state);
      matmuls_.run(use.read, thread, {s.qk, s.state, s.read, s.scratchpad});
    }
    gdn_right_side(op_, memory.v + offset, first, at.rows, s);
    gdn_solve(op_, at.rows, s);
    matmuls_.run(first ? use.intra_first : use.intra_added, thread,
                 {s.masked, s.rounded_changes, s.read, s.scratchpad});
    matmuls_.run(first ? use.state_first : use.state_added, thread,
                 {s.weighted_keys, s.rounded_changes, state, s.scratchpad});
    gdn_write_out(op_, at.rows, s, memory.o + offset);
  }

  Gdn op_;
  int threads_;
  int64_t chunk_;
  SmallMatmuls matmuls_;
  ChunkMatmuls whole_, rest_;
  int64_t parts_ = 1;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_chunked_gdn(const Gdn& op, CpuDevice& device) {
  return std::make_unique<ChunkedRule>(op, device);
}

}  // namespace perfatlas
