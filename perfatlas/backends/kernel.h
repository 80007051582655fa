// SPDX-License-Identifier: Apache-2.0
// The contract of every kernel file (ops/<op>/<op>_cpu.cpp, _cuda.cpp).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/backends/device.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {

/// Whether kernels may see the content of an operand before they are launched (PreparedKernel::see_content).
inline bool is_told(const Operand& operand) {
  return operand.dtype == DType::int32 || operand.fill == Fill::custom;
}

/// A kernel made ready for one case: plans, descriptors, layouts; it owns no operand. The harness allocates, seeds,
/// packs and rotates operands by their declared role.
class PreparedKernel {
 public:
  virtual ~PreparedKernel() = default;

  /// Scratch bytes handed to every launch; not part of the cache-state rotation.
  virtual size_t workspace_bytes() const { return 0; }

  /// Element type in which operand `index` is handed over, when it is not the declared one: a library that multiplies
  /// bf16 weights by float32 activations. Content is converted when it is placed and results when they are judged,
  /// never in a launch. Only types with values, for operands with values.
  virtual std::optional<DType> taken_dtype(size_t index) const {
    (void)index;
    return std::nullopt;
  }

  /// Largest relative L2 error of the results where the kernel's arithmetic is coarser than its operand types let
  /// expect (sums in float16); 0: what these allow. The kernel's file says where the figure comes from.
  virtual double allowed_error() const { return 0; }

  /// What was chosen among several ways for this case ("algorithm 66, fastest of 8"), noted beside the samples; empty:
  /// there was no choice.
  virtual std::string detail() const { return {}; }

  /// Bytes of operand `index` in the kernel's own layout; 0 when it takes the declared dense row-major layout.
  /// A packed layout must be a permutation (with padding) of the declared elements: rotated copies are filled with
  /// random elements of the same type without calling pack. Packed block types may move scales and elements among
  /// each other; their copies then hold odd scales, which must not change what a launch does or how long it takes.
  virtual size_t packed_bytes(size_t index) const {
    (void)index;
    return 0;
  }
  /// Writes the packed layout of operand `index` from its dense layout of the taken type.
  /// REQUIRES: packed_bytes(index) > 0; device pointers.
  virtual void pack(size_t index, const void* declared, void* packed) {
    (void)index, (void)declared, (void)packed;
  }

  /// The way back, by which results in a packed layout are judged. REQUIRES: packed_bytes(index) > 0 and the operand is
  /// written; device pointers.
  virtual void unpack(size_t index, const void* packed, void* declared) {
    (void)index, (void)packed, (void)declared;
  }
  /// Tells the content of an operand of indices or of Fill::custom before pack() and launch(), for what depends on it
  /// and an engine has on the host, too: a library without pages takes the KV cache of each sequence in one piece, so
  /// that the page table is resolved when the cache is placed; another takes the sizes of groups from the host.
  virtual void see_content(size_t index, const HostOperand& content) { (void)index, (void)content; }

  /// Enqueues the work once. The only call that is timed: no allocation, no planning, no synchronisation.
  /// `operands` in declaration order; `workspace` holds workspace_bytes().
  virtual void launch(Stream stream, std::span<void* const> operands, void* workspace) = 0;
};

/// One kernel of one op on one kind of device. `prepare` may throw Error: the case becomes `failed`.
template <class Op, class DeviceType>
struct Kernel {
  std::string_view name;     // kernel_source of the rows: what really runs
  std::string_view backend;  // library folder of placed tables: "onednn", "cuda"
  std::string (*why_unsupported)(const Op&, const DeviceType&);  // empty: can run; else the recorded reason
  std::unique_ptr<PreparedKernel> (*prepare)(const Op&, DeviceType&);
};

/// The same with types erased.
struct KernelEntry {
  std::string_view op;
  std::string_view name;
  std::string_view backend;
  std::function<std::string(const FieldValues&, const Device&)> why_unsupported;
  std::function<std::unique_ptr<PreparedKernel>(const FieldValues&, Device&)> prepare;
};

/// The kernels of one worker, best first per op and back end.
class KernelRegistry {
 public:
  template <class Op, class DeviceType>
  void add(const Kernel<Op, DeviceType>& kernel) {
    entries_.push_back({Op::info.id, kernel.name, kernel.backend,
                        [why = kernel.why_unsupported](const FieldValues& values, const Device& device) {
                          return why(decode<Op>(values), static_cast<const DeviceType&>(device));
                        },
                        [prepare = kernel.prepare](const FieldValues& values, Device& device) {
                          return prepare(decode<Op>(values), static_cast<DeviceType&>(device));
                        }});
  }

  /// A kernel whose types are erased already.
  void add(KernelEntry entry) { entries_.push_back(std::move(entry)); }

  std::vector<const KernelEntry*> of(std::string_view op, std::string_view backend) const {
    std::vector<const KernelEntry*> found;
    for (const KernelEntry& entry : entries_)
      if (entry.op == op && (backend.empty() || entry.backend == backend)) found.push_back(&entry);
    return found;
  }
  const std::vector<KernelEntry>& entries() const { return entries_; }

 private:
  std::vector<KernelEntry> entries_;
};

}  // namespace perfatlas
