// SPDX-License-Identifier: Apache-2.0
// One expert's matrix times however many tokens it was given, cut into pieces that threads do on their own.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/backends/cpu/onednn_primitive.h"

namespace perfatlas {

/// packed: oneDNN's blocks of 64 columns (AMX, AVX-512), each block one piece of memory. plain: one row per column of
/// the result, as declared.
enum class ExpertWeights { packed, plain };

/// d[rows, columns] = a[rows, depth] * w[depth, columns], in single-threaded oneDNN products of a block of columns and
/// at most kMostRows rows. A product is planned for a few row counts only; in between the next larger one runs, so that
/// operands must have room for padded_rows(rows) rows, whose surplus is garbage.
class ExpertMatmul {
 public:
  struct Shape {
    DType operand;  // of a and w
    DType result;   // of d
    int64_t depth;
    int64_t columns;
    int64_t block;      // columns of one piece: a multiple of 64, the last one has the rest
    int64_t most_rows;  // that are ever multiplied at once
    ExpertWeights weights;
  };
  static constexpr int64_t kMostRows = 128;

  /// Why oneDNN has no fast implementation on this CPU, or empty. Makes no plan.
  static std::string why_not(const Shape& shape, const OnednnContext& context);

  /// `context` outlives the object. REQUIRES: why_not() is empty.
  ExpertMatmul(const Shape& shape, int threads, const OnednnContext& context);

  int64_t blocks() const { return blocks_; }
  int64_t columns_of(int64_t block) const { return block + 1 < blocks_ ? shape_.block : last_columns_; }
  /// Columns that are written: those of the last block filled up, with garbage, to what oneDNN likes.
  int64_t stride_of(int64_t block) const { return block + 1 < blocks_ ? shape_.block : last_stride_; }
  size_t scratchpad_bytes() const { return scratchpad_bytes_; }

  /// Bytes of one matrix, as declared and in the layout of run().
  size_t declared_bytes() const { return size_t(shape_.depth * shape_.columns) * operand_bytes_; }
  size_t packed_bytes() const { return packed_desc().get_size(); }
  void pack(const void* declared, void* packed) const;

  /// oneDNN has no packed int8 products of fewer rows than eight.
  static int64_t least_rows(DType operand);
  static int64_t padded_rows(int64_t rows, DType operand);

  /// Computes one block: d[rows, stride_of(block)] (oneDNN's fast products write nothing but dense results). Returns
  /// oneDNN's refusal, if any.
  /// REQUIRES: 0 < rows <= kMostRows; one caller per `thread` at a time, inside a parallel region or alone.
  dnnl_status_t run(int thread, int64_t rows, int64_t block, const void* a, const void* matrix, void* d,
                    void* scratchpad) noexcept;

 private:
  dnnl::memory::desc declared_desc() const;
  dnnl::memory::desc packed_desc() const;
  void plan(int64_t columns, int threads, std::vector<std::vector<OnednnPrimitive>>& planned);

  Shape shape_;
  const OnednnContext& context_;
  size_t operand_bytes_;
  size_t column_bytes_;  // of w, in the layout of run()
  int64_t blocks_, last_columns_, last_stride_;
  size_t scratchpad_bytes_ = 0;
  std::vector<std::vector<OnednnPrimitive>> whole_, last_;  // [row count][thread]
};

}  // namespace perfatlas
