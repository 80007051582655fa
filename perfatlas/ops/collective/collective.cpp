// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/collective/collective.h"

namespace perfatlas {
namespace {

constexpr int64_t kAicRanks[] = {2, 4, 8};

std::string_view why_no_group(int64_t ranks, int64_t elements) {
  if (ranks < 2) return "ranks must be at least 2: one rank has nobody to talk to";
  return elements < 1 ? "elements must be positive" : std::string_view{};
}

Operands send_and_receive(DType dtype, int64_t ranks, int64_t sent, int64_t received) {
  return {
      {.name = "send", .role = OperandRole::activation, .dtype = dtype, .shape = {ranks, sent}},
      {.name = "recv",
       .role = OperandRole::output,
       .dtype = dtype,
       .shape = {ranks, received},
       .fill = Fill::none,
       .written = true},
  };
}

/// Prototypes have the elements of kPrototypeTokens tokens; ranks must go on dividing them.
template <class Op>
void sweep_tokens(const ModelShapes& shapes, const CaseSink<Op>& sink) {
  for (Op op : shapes.of<Op>()) {
    const int64_t prototype = op.elements;
    for (const int64_t tokens : kTokenLadder) {
      op.elements = prototype * tokens / kPrototypeTokens;
      if (op.why_invalid().empty()) sink(op);
    }
  }
}

}  // namespace

std::string_view Collective::why_invalid() const {
  if (const std::string_view why = why_no_group(ranks, elements); !why.empty()) return why;
  if (kind != CollectiveKind::all_reduce && elements % ranks != 0)
    return "elements must be divisible by ranks: every rank has an equal part";
  return {};
}

Work Collective::work() const {
  const double parts = kind == CollectiveKind::all_reduce ? 2 : 1;
  const double bytes = double(elements) * bytes_of(dtype_of(dtype));
  return {.activation_bytes_read = parts * bytes * double(ranks - 1) / double(ranks)};
}

Operands Collective::operands() const {
  const int64_t sent = kind == CollectiveKind::all_gather ? elements / ranks : elements;
  const int64_t received = kind == CollectiveKind::reduce_scatter ? elements / ranks : elements;
  return send_and_receive(dtype_of(dtype), ranks, sent, received);
}

void Collective::model_cases(const ModelShapes& shapes, const CaseSink<Collective>& sink) {
  sweep_tokens(shapes, sink);
}

void Collective::aic_cases(const AicGrid&, const CaseSink<Collective>& sink) {
  for (const auto& kind : kEnumNames<CollectiveKind>)
    for (const MessageType dtype : {MessageType::half, MessageType::int8})
      for (const int64_t ranks : kAicRanks)
        for (int64_t bytes = 512; bytes <= int64_t{512} << 20; bytes *= 2)
          sink({kind.value, dtype, ranks, bytes * 8 / bits_of(dtype_of(dtype))});
}

std::string_view P2p::why_invalid() const { return why_no_group(ranks, elements); }

Work P2p::work() const { return {.activation_bytes_read = double(elements) * bytes_of(dtype_of(dtype))}; }

Operands P2p::operands() const { return send_and_receive(dtype_of(dtype), ranks, elements, elements); }

void P2p::model_cases(const ModelShapes& shapes, const CaseSink<P2p>& sink) { sweep_tokens(shapes, sink); }

std::string_view CustomAllReduce::why_invalid() const { return as_collective().why_invalid(); }
Work CustomAllReduce::work() const { return as_collective().work(); }
Operands CustomAllReduce::operands() const { return as_collective().operands(); }

void CustomAllReduce::model_cases(const ModelShapes& shapes, const CaseSink<CustomAllReduce>& sink) {
  sweep_tokens(shapes, sink);
}

void CustomAllReduce::aic_cases(const AicGrid& grid, const CaseSink<CustomAllReduce>& sink) {
  const Symbol implementation(name_of(grid.framework));
  for (const int64_t ranks : kAicRanks)
    for (int64_t elements = 128; elements < int64_t{1} << 30; elements *= 2)
      sink({MessageType::bf16, ranks, elements, implementation});
}

}  // namespace perfatlas
