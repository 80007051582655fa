// SPDX-License-Identifier: Apache-2.0
// What the linear attention ops (mamba2, gdn, kda) share: the phase column, the sizes that are swept, why their tables
// have the axes they have, and operand content that keeps a recurrence stable.
#pragma once

#include <functional>
#include <span>

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// context: whole prompts through chunked kernels, starting from an empty state. generation: one token per sequence,
/// with the state read and written.
enum class LinearPhase { context, generation };

template <>
inline constexpr auto kEnumNames<LinearPhase> =
    std::array{EnumName<LinearPhase>{LinearPhase::context, "context"},
               EnumName<LinearPhase>{LinearPhase::generation, "generation"}};

/// Sizes of the published sweeps of every linear attention op.
inline constexpr int64_t kLinearContextBatches[] = {1, 2, 4, 8, 16, 32, 64};
inline constexpr int64_t kLinearContextLengths[] = {1,   2,   4,    8,    16,   32,   64,    128,
                                                    256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
inline constexpr int64_t kLinearGenerationBatches[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

/// Model grids leave out prompts that together have more tokens than this.
inline constexpr int64_t kLinearMostTokens = 65536;

/// What a chunked scan counts of one sequence: every chunk of `chunk` tokens has `rows` of them, the last one the rest.
struct ChunkSums {
  double pairs = 0;    // rows * (rows + 1) over all chunks: twice the causal half
  double carried = 0;  // tokens behind the first chunk, which read the state before their own
};
constexpr ChunkSums chunk_sums(int64_t seq, int64_t chunk) {
  const auto whole = double(seq / chunk), rest = double(seq % chunk), rows = double(chunk);
  return {whole * rows * (rows + 1) + rest * (rest + 1), double(seq > chunk ? seq - chunk : 0)};
}

/// The lengths that model grids sweep: kSequenceLadder in context, 1 in generation.
inline std::span<const int64_t> linear_lengths(LinearPhase phase) {
  return std::span(kSequenceLadder).first(phase == LinearPhase::context ? std::size(kSequenceLadder) : 1);
}

/// The sub-kernels of the models: kBatchLadder x lengths(op).
template <class Op, class Lengths>
void linear_model_cases(const ModelShapes& shapes, const CaseSink<Op>& sink, Lengths lengths) {
  for (Op op : shapes.of<Op>())
    for (const int64_t batch : kBatchLadder)
      for (const int64_t seq : std::span<const int64_t>(lengths(op))) {
        Op::set_batch(op, batch);
        Op::set_seq(op, seq);
        if (op.tokens <= kLinearMostTokens) sink(op);
      }
}

/// Of every linear attention op.
inline constexpr TableLayout kLinearLayout{
    .why =
        "token-non-equivalent: every sequence has a state of its own and tokens of one sequence depend on "
        "each "
        "other, so that state traffic grows with batch and the length of the dependence with seq",
};

/// Seeded content for Fill::custom: uniform in [low, high), the same on every machine.
std::function<void(uint64_t seed, HostOperand& content)> uniform_between(double low, double high);

/// A dense operand that the op reads, or an output that it writes completely.
Operand linear_input(std::string_view name, DType dtype, std::vector<int64_t> shape);
Operand linear_weight(std::string_view name, DType dtype, std::vector<int64_t> shape);
Operand linear_output(std::string_view name, DType dtype, std::vector<int64_t> shape);
/// Recurrent or convolution state of the sequences: it lies where a KV cache lies and is updated in place.
Operand linear_state(std::string_view name, DType dtype, std::vector<int64_t> shape);

}  // namespace perfatlas
