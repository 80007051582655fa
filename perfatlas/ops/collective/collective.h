// SPDX-License-Identifier: Apache-2.0
// Collective operations between the ranks of one tensor-, expert- or pipeline-parallel group. The declarations know no
// library: MPI on CPUs and NCCL on GPUs measure the same cases.
//
// Operands describe the whole group: their first dimension is the rank, and a rank sees its own row only. A launch is
// one collective call of every rank, out of place; its time is the longest of any rank, from a barrier on.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// Names of the op_name column of published tables.
enum class CollectiveKind { all_gather, all_to_all, reduce_scatter, all_reduce };

template <>
inline constexpr auto kEnumNames<CollectiveKind> = std::array{
    EnumName<CollectiveKind>{CollectiveKind::all_gather, "all_gather"},
    EnumName<CollectiveKind>{CollectiveKind::all_to_all, "alltoall", "all_to_all"},
    EnumName<CollectiveKind>{CollectiveKind::reduce_scatter, "reduce_scatter"},
    EnumName<CollectiveKind>{CollectiveKind::all_reduce, "all_reduce"},
};

/// Element types by the names that nccl-tests and the published tables use.
enum class MessageType { half, int8, f32, bf16 };

template <>
inline constexpr auto kEnumNames<MessageType> = std::array{
    EnumName<MessageType>{MessageType::half, "half", "float16"},
    EnumName<MessageType>{MessageType::int8, "int8"},
    EnumName<MessageType>{MessageType::f32, "float", "float32"},
    EnumName<MessageType>{MessageType::bf16, "bfloat16", "bf16"},
};

constexpr DType dtype_of(MessageType type) {
  switch (type) {
    case MessageType::half:
      return DType::f16;
    case MessageType::int8:
      return DType::int8;
    case MessageType::f32:
      return DType::f32;
    case MessageType::bf16:
      return DType::bf16;
  }
  return DType::f32;
}

/// all_gather, alltoall, reduce_scatter or all_reduce (sum; int8 sums wrap). `elements` N is what nccl-tests calls the
/// size (nccl-tests doc/PERFORMANCE.md), counted in elements: the larger of the two buffers of one rank. With p ranks:
///
///   all_reduce      sends N, receives N, every rank the sum of all
///   all_gather      sends N/p, receives N, the parts of all ranks in rank order
///   reduce_scatter  sends N, receives N/p, its part of the sum of all
///   alltoall        sends N, receives N: part i goes to rank i
struct Collective {
  CollectiveKind kind = CollectiveKind::all_reduce;
  MessageType dtype = MessageType::half;
  int64_t ranks = 2;
  int64_t elements = 1024;
  bool operator==(const Collective&) const = default;

  static constexpr OpInfo info{
      .id = "collective",
      .table = "nccl_perf",
      .op_name = "",
      .doc = "One collective call of every rank of a group, out of place; the slowest rank's time.",
      .sol = "factor*(num_gpus-1)/num_gpus*message_size*bytes / bw; factor 2 for all_reduce, else 1",
      .second_table = "oneccl_perf",
  };

  static constexpr auto fields = std::tuple{
      field("op_name", &Collective::kind, Role::exact, "which collective").flagged("kind"),
      field("nccl_dtype", &Collective::dtype, Role::exact, "element type").flagged("dtype"),
      field("num_gpus", &Collective::ranks, Role::exact, "ranks of the group").flagged("ranks"),
      field("message_size", &Collective::elements, Role::axis,
            "elements (not bytes) of the larger buffer of a rank")
          .flagged("elements"),
  };

  static constexpr auto axes = std::array{axis<&Collective::elements, Collective>("elements")};

  static constexpr TableLayout layout{
      .log_curve = true,
      .merge = {.files = TableMerge::Files::whole_slice},  // oneCCL answers for what NCCL has not
      .why =
          "token-equivalent: the bytes on the wire grow with the elements alone, whatever tokens and hidden "
          "size "
          "they "
          "come from; algorithm and topology change with the ranks, so ranks are keys",
  };

  std::string_view why_invalid() const;

  /// What one rank sends (and receives) in a ring, the least that any algorithm must: (p-1)/p of the buffer, twice for
  /// all_reduce. Ranks have links of their own, so the group needs no more time than one rank. Charged as activation
  /// bytes: on a CPU the ranks' wire is its cache and memory.
  Work work() const;

  /// send[ranks, ...] activation, recv[ranks, ...] output, lengths as above.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Every collective of the models at every rung of the token ladder; a prototype has the elements of
  /// kPrototypeTokens tokens.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Collective>& sink);

  /// The published grid: four collectives, half and int8, 2, 4 and 8 ranks, 512 B to 512 MiB by powers of two: 504.
  static void aic_cases(const AicGrid& grid, const CaseSink<Collective>& sink);
};
static_assert(Operation<Collective>);

/// Every rank sends `elements` to the next rank and receives as many from the one before, at once: a pipeline of
/// stages in its steady state, and the "sendrecv" of nccl-tests. The last rank sends to the first.
struct P2p {
  MessageType dtype = MessageType::half;
  int64_t ranks = 2;
  int64_t elements = 1024;
  bool operator==(const P2p&) const = default;

  static constexpr OpInfo info{
      .id = "p2p",
      .table = "p2p_perf",
      .op_name = "p2p",
      .doc = "Every rank sends to the next one and receives from the one before; the slowest rank's time.",
      .sol = "message_size*bytes / bw",
  };

  static constexpr auto fields = std::tuple{
      field("nccl_dtype", &P2p::dtype, Role::exact, "element type").flagged("dtype"),
      field("num_gpus", &P2p::ranks, Role::exact, "ranks of the ring").flagged("ranks"),
      field("message_size", &P2p::elements, Role::axis, "elements (not bytes) that each rank sends")
          .flagged("elements"),
  };

  static constexpr auto axes = std::array{axis<&P2p::elements, P2p>("elements")};

  static constexpr TableLayout layout{
      .log_curve = true,
      .why = "token-equivalent: one message of tokens times hidden elements; neither is seen on the wire",
  };

  std::string_view why_invalid() const;
  /// The bytes that one rank sends.
  Work work() const;
  /// send[ranks, elements] activation, recv[ranks, elements] output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  static void model_cases(const ModelShapes& shapes, const CaseSink<P2p>& sink);
};
static_assert(Operation<P2p>);

/// The all_reduce of a serving framework itself (one-shot or two-shot kernels over peer memory) instead of the
/// library's. Same sum and same meaning of `elements` as Collective all_reduce.
struct CustomAllReduce {
  MessageType dtype = MessageType::bf16;
  int64_t ranks = 2;
  int64_t elements = 1024;
  Symbol implementation{};
  Symbol backend{};
  bool operator==(const CustomAllReduce&) const = default;

  static constexpr OpInfo info{
      .id = "custom_all_reduce",
      .table = "custom_allreduce_perf",
      .op_name = "all_reduce",
      .doc = "Sum over the ranks of a group by a serving framework's own kernel.",
      .sol = "2*(num_gpus-1)/num_gpus*message_size*bytes / bw",
      .revision = 2,
  };

  static constexpr auto fields = std::tuple{
      field("allreduce_dtype", &CustomAllReduce::dtype, Role::exact, "element type").flagged("dtype"),
      field("num_gpus", &CustomAllReduce::ranks, Role::exact, "ranks of the group").flagged("ranks"),
      field("message_size", &CustomAllReduce::elements, Role::axis, "elements (not bytes) of each rank")
          .flagged("elements"),
      field("implementation", &CustomAllReduce::implementation, Role::recorded, "whose kernel, as published")
          .absent_is(Symbol()),
      field("backend", &CustomAllReduce::backend, Role::recorded,
            "whose kernel and whether it was launched in a graph, as published: vllm_graph, vllm_eager")
          .absent_is(Symbol())
          .flagged("row_backend"),
  };

  static constexpr auto axes = std::array{axis<&CustomAllReduce::elements, CustomAllReduce>("elements")};

  static constexpr TableLayout layout{
      .log_curve = true,
      .merge = {.by_kernel = true},  // in a graph and eager are different kernels
      .why =
          "token-equivalent: the bytes on the wire are those of tokens times hidden elements, however split",
  };

  std::string_view why_invalid() const;
  Work work() const;
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  static void model_cases(const ModelShapes& shapes, const CaseSink<CustomAllReduce>& sink);

  /// The published grid: bfloat16, 2, 4 and 8 ranks, 23 sizes from 128 to 2^29 elements by powers of two.
  static void aic_cases(const AicGrid& grid, const CaseSink<CustomAllReduce>& sink);

 private:
  Collective as_collective() const { return {CollectiveKind::all_reduce, dtype, ranks, elements}; }
};
static_assert(Operation<CustomAllReduce>);

}  // namespace perfatlas
