// SPDX-License-Identifier: Apache-2.0
// Open MPI's collectives, with the algorithm that its own decision rules choose (framework coll, component tuned unless
// the user's MCA settings say otherwise). Sums other than float's are own operations (collective_mpi_sum.h), and
// kernel_source says so. Rows of more ranks than cores have a kernel_source of their own, so that they are never taken
// for the others.
#include <fmt/format.h>
#include <mpi.h>

#include <climits>

#include "perfatlas/backends/mpi/mpi_device.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/ops/collective/collective_mpi_sum.h"

namespace perfatlas {
namespace {

/// Beyond, a launch is mostly waiting for the scheduler.
constexpr int64_t kMostRanksPerCore = 16;

struct Variant {
  std::string_view name;
  bool own_sum = false;
  bool oversubscribed = false;
};

constexpr Variant kVariants[] = {
    {"openmpi_default"},
    {"openmpi_perfatlas_sum", true, false},
    {"openmpi_default_oversubscribed", false, true},
    {"openmpi_perfatlas_sum_oversubscribed", true, true},
};

bool is_sum(CollectiveKind kind) {
  return kind == CollectiveKind::all_reduce || kind == CollectiveKind::reduce_scatter;
}

bool needs_own_sum(const Collective& op) { return is_sum(op.kind) && op.dtype != MessageType::f32; }
bool needs_own_sum(const P2p&) { return false; }

MPI_Datatype mpi_type(MessageType type) {
  switch (type) {
    case MessageType::int8:
      return MPI_INT8_T;
    case MessageType::f32:
      return MPI_FLOAT;
    case MessageType::half:
    case MessageType::bf16:
      return MPI_UINT16_T;  // their bits
  }
  return MPI_BYTE;
}

MPI_User_function* sum_function(MessageType type) {
  if (type == MessageType::int8) return &add_int8;
  return type == MessageType::half ? &add_half : &add_bfloat16;
}

class CollectiveCall final : public GroupKernel {
 public:
  CollectiveCall(const Collective& op, GroupCall call)
      : op_(op), call_(std::move(call)), type_(mpi_type(op.dtype)) {
    int in_a_rank = 0;
    MPI_Initialized(&in_a_rank);
    if (!in_a_rank || !needs_own_sum(op)) return;
    MPI_Op_create(sum_function(op.dtype), /*commute=*/1, &own_sum_);
    sum_ = own_sum_;
  }
  ~CollectiveCall() override {
    if (own_sum_ != MPI_OP_NULL) MPI_Op_free(&own_sum_);
  }
  CollectiveCall(const CollectiveCall&) = delete;
  CollectiveCall& operator=(const CollectiveCall&) = delete;

  GroupCall call() const override { return call_; }

  void launch(Stream, std::span<void* const> operands, void*) override {
    void *const send = operands[0], *const recv = operands[1];
    const int all = int(op_.elements), part = int(op_.elements / op_.ranks);
    switch (op_.kind) {
      case CollectiveKind::all_gather:
        MPI_Allgather(send, part, type_, recv, part, type_, MPI_COMM_WORLD);
        break;
      case CollectiveKind::all_to_all:
        MPI_Alltoall(send, part, type_, recv, part, type_, MPI_COMM_WORLD);
        break;
      case CollectiveKind::reduce_scatter:
        MPI_Reduce_scatter_block(send, recv, part, type_, sum_, MPI_COMM_WORLD);
        break;
      case CollectiveKind::all_reduce:
        MPI_Allreduce(send, recv, all, type_, sum_, MPI_COMM_WORLD);
        break;
    }
  }

 private:
  Collective op_;
  GroupCall call_;
  MPI_Datatype type_;
  MPI_Op own_sum_ = MPI_OP_NULL;
  MPI_Op sum_ = MPI_SUM;
};

class RingExchange final : public GroupKernel {
 public:
  RingExchange(const P2p& op, GroupCall call) : op_(op), call_(std::move(call)) {
    int in_a_rank = 0;
    MPI_Initialized(&in_a_rank);
    if (in_a_rank) MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  }

  GroupCall call() const override { return call_; }

  void launch(Stream, std::span<void* const> operands, void*) override {
    const int ranks = int(op_.ranks), count = int(op_.elements);
    const MPI_Datatype type = mpi_type(op_.dtype);
    MPI_Sendrecv(operands[0], count, type, (rank_ + 1) % ranks, 0, operands[1], count, type,
                 (rank_ + ranks - 1) % ranks, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }

 private:
  P2p op_;
  GroupCall call_;
  int rank_ = 0;
};

std::unique_ptr<PreparedKernel> make_kernel(const Collective& op, GroupCall call) {
  return std::make_unique<CollectiveCall>(op, std::move(call));
}
std::unique_ptr<PreparedKernel> make_kernel(const P2p& op, GroupCall call) {
  return std::make_unique<RingExchange>(op, std::move(call));
}

template <class Op>
std::string why_unsupported(const Op& op, const MpiDevice& device, const Variant& variant) {
  if (needs_own_sum(op) != variant.own_sum)
    return variant.own_sum ? "it is for sums that MPI has not"
                           : "MPI has no 16-bit floats, and its int8 sum saturates";
  if (!device.launcher_problem().empty()) return device.launcher_problem();
  const int64_t cores = device.rank_slots();
  if (device.is_launched() && op.ranks > cores)
    return fmt::format("the allocation has room for {} ranks", cores);
  if (!variant.oversubscribed && op.ranks > cores)
    return fmt::format("{} ranks need as many cores, device {} has {}", op.ranks, device.info().id, cores);
  if (variant.oversubscribed && op.ranks <= cores)
    return fmt::format("device {} has a core for each of {} ranks", device.info().id, op.ranks);
  if (op.ranks > kMostRanksPerCore * cores)
    return fmt::format("{} ranks are more than {} per core of device {}", op.ranks, kMostRanksPerCore,
                       device.info().id);
  if (op.elements > INT_MAX) return "MPI counts no more than 2^31-1 elements";
  return {};
}

template <class Op, size_t Index>
void add(KernelRegistry& registry) {
  static constexpr Variant kVariant = kVariants[Index];
  registry.add(Kernel<Op, MpiDevice>{
      kVariant.name, "mpi",
      [](const Op& op, const MpiDevice& device) { return why_unsupported(op, device, kVariant); },
      [](const Op& op, MpiDevice&) {
        static const OpType type = make_op_type<Op>();
        const Case what = make_case(type, op);
        const int ranks = int(op.ranks);
        return make_kernel(op, {std::string(kVariant.name), case_text(what), ranks});
      }});
}

}  // namespace

void add_collective_mpi_kernels(KernelRegistry& registry) {
  add<Collective, 0>(registry);
  add<Collective, 1>(registry);
  add<Collective, 2>(registry);
  add<Collective, 3>(registry);
  add<P2p, 0>(registry);
  add<P2p, 2>(registry);
}

}  // namespace perfatlas
