// SPDX-License-Identifier: Apache-2.0
// Communication between the GPUs of a group.
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_comm.h"
#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"

namespace perfatlas::aic {

/// A collective over a number of GPUs, by the elements of its message (as the tables count them). Groups that were not
/// measured and are larger than the table's largest (custom all-reduce: than a node) are answered from that one, times
/// the ratio of what a link carries, (n - 1) / n, and of the bandwidths. Estimates borrow the utilisation of that group
/// and use the real speed of light.
class CollectiveCost {
 public:
  /// Sum over a tensor-parallel group by a serving framework's own kernel, at 16 bits.
  static CollectiveCost all_reduce(int64_t gpus, const Binding& binding);
  /// all_gather, all_reduce, reduce_scatter or alltoall of NCCL, else of oneCCL.
  static CollectiveCost nccl(const std::string& operation, QuantMode dtype, int64_t gpus,
                             const Binding& binding);

  /// A group of one: nothing to do.
  bool is_alone() const { return alone_; }
  Price price(double elements) const;
  std::string explain(double elements) const;
  /// Of the measured group.
  Ground ground(double elements) const;

 private:
  Price silicon(double elements) const;
  Price empirical(double elements) const;

  Mode mode_ = Mode::silicon;
  bool alone_ = false;
  Source source_alone_ = Source::empirical;
  double sol_ms_per_element_ = 0;           // of the asked group
  bool sol_in_parts_ = true;                // the speed of light is that of links (else it has no parts)
  std::shared_ptr<const Surface> surface_;  // null: not measured
  double beyond_ = 1;                       // factor on a smaller group's latency
  Provenance provenance_ = Provenance::empirical;
  std::string why_missing_;
};

std::unique_ptr<const Pricer> bind(const CustomAllReduce& op, const Binding& binding);
std::unique_ptr<const Pricer> bind(const Nccl& op, const Binding& binding);
/// bytes / inter_node_bw + p2p_latency; its speed of light is without the latency. One stage costs nothing.
std::unique_ptr<const Pricer> bind(const P2p& op, const Binding& binding);

}  // namespace perfatlas::aic
