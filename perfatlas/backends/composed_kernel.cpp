// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/composed_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace perfatlas {
namespace {

constexpr size_t kAlignment = 256;  // of scratch buffers, as Device::allocate aligns operands

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct Choice {
  const KernelEntry* kernel = nullptr;  // null: `reason` says why
  std::string reason;
};

Choice choose(const Case& what, const Composition& composition, const Device& device) {
  const std::string_view id = what.op->info.id;
  if (const std::string_view why = what.op->why_invalid(what.values); !why.empty())
    return {nullptr, fmt::format("{}: {}", id, why)};
  Choice choice;
  for (const KernelEntry* kernel : composition.kernels->of(id, composition.backend)) {
    const std::string why = kernel->why_unsupported(what.values, device);
    if (why.empty()) return {kernel, {}};
    choice.reason += fmt::format("{}{}: {}: {}", choice.reason.empty() ? "" : "; ", id, kernel->name, why);
  }
  if (choice.reason.empty())
    choice.reason = fmt::format("{}: back end '{}' has no kernel", id, composition.backend);
  return choice;
}

class ComposedKernel final : public PreparedKernel {
 public:
  ComposedKernel(const Composition& composition, Device& device) {
    for (const ComposedPart& part : composition.parts) {
      if (const auto* const step = std::get_if<ComposedStep>(&part))
        add(*step, composition, device);
      else
        add(std::get<ComposedGlue>(part));
    }
    for (size_t& bytes : scratch_bytes_) {
      scratch_at_.push_back(scratch_end_);
      scratch_end_ += aligned(bytes);
    }
  }

  size_t workspace_bytes() const override { return scratch_end_ + step_workspace_; }

  double allowed_error() const override {
    double largest = 0;
    for (const Part& part : parts_)
      if (part.kernel) largest = std::max(largest, part.kernel->allowed_error());
    return largest;
  }

  size_t packed_bytes(size_t index) const override {
    const auto found = packers_.find(index);
    return found == packers_.end() ? 0 : found->second.kernel->packed_bytes(found->second.index);
  }

  void pack(size_t index, const void* declared, void* packed) override {
    const Packer& packer = packers_.at(index);
    packer.kernel->pack(packer.index, declared, packed);
  }

  void see_content(size_t index, const HostOperand& content) override {
    for (Part& part : parts_)
      for (size_t i = 0; part.kernel && i < part.places.size(); ++i)
        if (const ComposedBuffer& place = part.places[i];
            place.kind == ComposedBuffer::Kind::operand && place.index == index && place.byte_offset == 0)
          part.kernel->see_content(i, content);
  }

  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    char* const scratch = static_cast<char*>(workspace);
    for (Part& part : parts_) {
      for (size_t i = 0; i < part.places.size(); ++i) {
        const ComposedBuffer& place = part.places[i];
        char* const base = place.kind == ComposedBuffer::Kind::operand
                               ? static_cast<char*>(operands[place.index])
                               : scratch + scratch_at_[place.index];
        part.pointers[i] = base + place.byte_offset;
      }
      if (part.kernel)
        part.kernel->launch(stream, part.pointers, scratch + scratch_end_);
      else
        part.glue(stream, part.pointers);
    }
  }

 private:
  struct Part {
    std::unique_ptr<PreparedKernel> kernel;  // null: glue
    std::function<void(Stream, std::span<void* const>)> glue;
    std::vector<ComposedBuffer> places;
    std::vector<void*> pointers;  // of the current launch
  };
  /// Whose layout an operand of the composed op has.
  struct Packer {
    PreparedKernel* kernel = nullptr;
    size_t index = 0;  // among that kernel's operands
    std::string_view name;
  };

  void add(const ComposedStep& step, const Composition& composition, Device& device) {
    const std::string_view id = step.what.op->info.id;
    const Choice choice = choose(step.what, composition, device);
    if (choice.kernel == nullptr) throw Error(choice.reason);
    const Operands declared = step.what.op->operands(step.what.values);
    if (declared.size() != step.operands.size())
      throw Error(fmt::format("composition: {} declares {} operands, {} are bound", id, declared.size(),
                              step.operands.size()));
    Part part{choice.kernel->prepare(step.what.values, device), {}, step.operands, {}};
    part.pointers.resize(declared.size());
    step_workspace_ = std::max(step_workspace_, part.kernel->workspace_bytes());
    for (size_t i = 0; i < declared.size(); ++i) {
      if (part.kernel->taken_dtype(i).value_or(declared[i].dtype) != declared[i].dtype)
        throw Error(fmt::format("composition: {} takes {} of {} in another type than declared",
                                choice.kernel->name, declared[i].name, id));
      if (part.kernel->packed_bytes(i) > 0)
        add_packer(step.operands[i], {part.kernel.get(), i, choice.kernel->name});
      else
        need(step.operands[i], size_t(std::ceil(declared[i].bytes())));
    }
    parts_.push_back(std::move(part));
  }

  void add(const ComposedGlue& glue) {
    if (glue.bytes.size() != glue.operands.size())
      throw Error("composition: glue must state the bytes of each of its operands");
    for (size_t i = 0; i < glue.operands.size(); ++i) need(glue.operands[i], glue.bytes[i]);
    parts_.push_back({nullptr, glue.run, glue.operands, std::vector<void*>(glue.operands.size())});
  }

  void need(const ComposedBuffer& place, size_t bytes) {
    if (place.kind == ComposedBuffer::Kind::operand) {
      if (packers_.contains(place.index)) refuse_layout(place.index);
      dense_.push_back(place.index);
      return;
    }
    if (scratch_bytes_.size() <= place.index) scratch_bytes_.resize(place.index + 1);
    scratch_bytes_[place.index] = std::max(scratch_bytes_[place.index], place.byte_offset + bytes);
  }

  void add_packer(const ComposedBuffer& place, const Packer& packer) {
    if (place.kind == ComposedBuffer::Kind::scratch || place.byte_offset != 0)
      throw Error(
          fmt::format("composition: {} wants its own layout of an intermediate result or of a part "
                      "of an operand",
                      packer.name));
    const bool dense = std::find(dense_.begin(), dense_.end(), place.index) != dense_.end();
    if (dense || !packers_.emplace(place.index, packer).second) refuse_layout(place.index);
  }

  [[noreturn]] static void refuse_layout(size_t operand) {
    throw Error(fmt::format("composition: two steps want operand {} in different layouts", operand));
  }

  std::vector<Part> parts_;
  std::map<size_t, Packer> packers_;  // by operand of the composed op
  std::vector<size_t> dense_;         // operands that some step takes as declared
  std::vector<size_t> scratch_bytes_, scratch_at_;
  size_t scratch_end_ = 0;
  size_t step_workspace_ = 0;
};

}  // namespace

std::string why_uncomposable(const Composition& composition, const Device& device) {
  for (const ComposedPart& part : composition.parts)
    if (const auto* const step = std::get_if<ComposedStep>(&part))
      if (Choice choice = choose(step->what, composition, device); choice.kernel == nullptr)
        return choice.reason;
  return {};
}

std::unique_ptr<PreparedKernel> compose(const Composition& composition, Device& device) {
  return std::make_unique<ComposedKernel>(composition, device);
}

}  // namespace perfatlas
