// SPDX-License-Identifier: Apache-2.0
// The space in which the sizes of an op's cases lie far from or near to each other: a coordinate per size, in octaves
// divided by the length over which latency is known to change, and coordinates for the classes of kernels that
// libraries choose by size. Lengths: measured on published tables of four GPUs (docs/small-plan.md).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

struct SizeAxis {
  std::string name;
  double scale = 1;  // octaves (of classes: steps) per unit of distance
  bool running =
      false;  // changes from step to step while a model runs (tokens, batch, sequence), unlike its shapes
  std::function<double(const FieldValues&)> octaves;
};

class SizeSpace {
 public:
  /// The space of an op: of those with a known one (gemm, attention_*, moe, mla_*), else every integer field that is
  /// part of the key or of an axis. REQUIRES: `op` outlives this.
  explicit SizeSpace(const OpType& op);

  const OpType& op() const { return *op_; }
  const std::vector<SizeAxis>& axes() const { return axes_; }
  /// What cases of one family share: the values of the exact fields that are no coordinate (types, symbols).
  SliceKey family_of(const FieldValues& values) const;
  /// "gemm bfloat16": the op id and the family's values as text.
  std::string family_name(const FieldValues& values) const;
  /// Appends the case's coordinates, each divided by its scale.
  void append(const FieldValues& values, std::vector<double>& coordinates) const;
  /// Hash of the coordinates that are not running: cases of one shape.
  uint64_t shape_of(const FieldValues& values) const;
  /// Hash of the shape and of the octave of each running size.
  uint64_t cell_of(const FieldValues& values) const;

 private:
  size_t field(std::string_view column) const;
  void size(std::string_view column, double scale, bool running = false);
  void computed(std::string name, double scale, std::function<double(const FieldValues&)> octaves);
  void use_gemm();
  void use_context_attention();
  void use_generation_attention();
  void use_moe();
  void use_mla_context();
  void use_mla_generation();
  void context_length(double scale);
  void use_declaration();
  void find_family_fields();

  const OpType* op_;
  std::vector<SizeAxis> axes_;
  std::vector<bool> covered_;          // by field: enters a coordinate
  std::vector<size_t> family_fields_;  // exact fields without a coordinate
};

}  // namespace perfatlas
