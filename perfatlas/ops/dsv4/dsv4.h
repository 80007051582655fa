// SPDX-License-Identifier: Apache-2.0
// The ops of DeepSeek-V4 attention: whole blocks (CSA and HCA, context and generation) and four kernels of them that
// published tables correct context-parallel estimates with. Imported tables only.
#pragma once

#include "perfatlas/ops/dsv4/dsv4_case.h"

namespace perfatlas {

/// What tells ops of one kind apart.
struct Dsv4Name {
  int64_t compress;  // 0: either
  std::string_view id, table, doc;
};

inline constexpr std::string_view kDsv4ModuleSol =
    "max(linear layers + 4*num_heads*512*(window pairs + compressed pairs) (+ indexer) over the peak of the "
    "fastest "
    "type, (weights + cached tokens of the window, compressed ones (+ index cache)) / memory_bw)";
inline constexpr TableLayout kDsv4Layout{.why =
                                             "token-non-equivalent: a token attends to as many compressed "
                                             "tokens as lie before it, so that work depends on "
                                             "isl and step apart from batch"};

/// Columns, role of the fields and validity of all ops here. `Op` is the op itself.
template <const Dsv4Name& name>
struct Dsv4Op : Dsv4Case {
  Dsv4Op() {
    if (name.compress != 0) compress = name.compress;
  }
  bool operator==(const Dsv4Op&) const = default;

  static constexpr auto fields = kDsv4Fields;
  static constexpr TableLayout layout = kDsv4Layout;

  std::string_view why_invalid() const {
    if (name.compress != 0 && compress != name.compress) return "compress_ratio is that of another table";
    return why_invalid_case();
  }
};

constexpr OpInfo dsv4_info(const Dsv4Name& name, std::string_view sol, int revision = 1) {
  return {.id = name.id,
          .table = name.table,
          .op_name = name.id,
          .doc = name.doc,
          .sol = sol,
          .revision = revision};
}
/// Of the tables of kernels, since they have the column local_num_heads.
inline constexpr int kDsv4KernelRevision = 2;

/// Whole block for new tokens.
template <const Dsv4Name& name>
struct Dsv4ContextModule : Dsv4Op<name> {
  bool operator==(const Dsv4ContextModule&) const = default;
  static constexpr OpInfo info = dsv4_info(name, kDsv4ModuleSol);
  static const std::array<Axis<Dsv4ContextModule>, 3> axes;
  Work work() const { return dsv4_module_work(*this, false); }
};
template <const Dsv4Name& name>
inline constexpr std::array<Axis<Dsv4ContextModule<name>>, 3> Dsv4ContextModule<name>::axes =
    dsv4_context_axes<Dsv4ContextModule<name>>();

/// Whole block for one new token per sequence.
template <const Dsv4Name& name>
struct Dsv4GenerationModule : Dsv4Op<name> {
  bool operator==(const Dsv4GenerationModule&) const = default;
  static constexpr OpInfo info = dsv4_info(name, kDsv4ModuleSol);
  static const std::array<Axis<Dsv4GenerationModule>, 2> axes;
  std::string_view why_invalid() const {
    if (this->isl != 1) return "isl must be 1: generation takes one new token per sequence";
    return Dsv4Op<name>::why_invalid();
  }
  Work work() const { return dsv4_module_work(*this, true); }
};
template <const Dsv4Name& name>
inline constexpr std::array<Axis<Dsv4GenerationModule<name>>, 2> Dsv4GenerationModule<name>::axes =
    dsv4_generation_axes<Dsv4GenerationModule<name>>();

inline constexpr Dsv4Name kDsv4CsaContext{
    kCsaRatio, "dsv4_csa_context_module", "dsv4_csa_context_module_perf",
    "Whole DeepSeek-V4 block with selected compressed tokens, for new tokens; imported tables only."};
inline constexpr Dsv4Name kDsv4HcaContext{
    kHcaRatio, "dsv4_hca_context_module", "dsv4_hca_context_module_perf",
    "Whole DeepSeek-V4 block with all compressed tokens, for new tokens; imported tables only."};
inline constexpr Dsv4Name kDsv4CsaGeneration{kCsaRatio, "dsv4_csa_generation_module",
                                             "dsv4_csa_generation_module_perf",
                                             "Whole DeepSeek-V4 block with selected compressed tokens, for "
                                             "one new token per sequence; imported tables only."};
inline constexpr Dsv4Name kDsv4HcaGeneration{kHcaRatio, "dsv4_hca_generation_module",
                                             "dsv4_hca_generation_module_perf",
                                             "Whole DeepSeek-V4 block with all compressed tokens, for one "
                                             "new token per sequence; imported tables only."};

using Dsv4CsaContext = Dsv4ContextModule<kDsv4CsaContext>;
using Dsv4HcaContext = Dsv4ContextModule<kDsv4HcaContext>;
using Dsv4CsaGeneration = Dsv4GenerationModule<kDsv4CsaGeneration>;
using Dsv4HcaGeneration = Dsv4GenerationModule<kDsv4HcaGeneration>;

inline constexpr Dsv4Name kDsv4Logits{
    kCsaRatio, "dsv4_paged_mqa_logits_module", "dsv4_paged_mqa_logits_module_perf",
    "Scores of the compressed tokens by the indexer of a CSA block; imported tables only."};

struct Dsv4PagedMqaLogits : Dsv4Op<kDsv4Logits> {
  bool operator==(const Dsv4PagedMqaLogits&) const = default;
  static constexpr auto fields = kDsv4KernelFields;
  static constexpr OpInfo info =
      dsv4_info(kDsv4Logits,
                "max(2*64*128*scored / peak(fp8), index cache / memory_bw, scores / llc_bw); scored = "
                "batch_size*isl*(step + isl/2)/4",
                kDsv4KernelRevision);
  static const std::array<Axis<Dsv4PagedMqaLogits>, 3> axes;
  Work work() const { return dsv4_logits_work(*this); }
};
inline constexpr std::array<Axis<Dsv4PagedMqaLogits>, 3> Dsv4PagedMqaLogits::axes =
    dsv4_context_axes<Dsv4PagedMqaLogits>();

/// The attention kernel of a block.
template <const Dsv4Name& name>
struct Dsv4Attention : Dsv4Op<name> {
  bool operator==(const Dsv4Attention&) const = default;
  static constexpr auto fields = kDsv4KernelFields;
  static constexpr OpInfo info = dsv4_info(
      name,
      "max(4*num_heads*512*(window pairs + compressed pairs) / peak(mla_dtype), (q + out bytes) / llc_bw)",
      kDsv4KernelRevision);
  static const std::array<Axis<Dsv4Attention>, 3> axes;
  Work work() const { return dsv4_attention_work(*this); }
};
template <const Dsv4Name& name>
inline constexpr std::array<Axis<Dsv4Attention<name>>, 3> Dsv4Attention<name>::axes =
    dsv4_context_axes<Dsv4Attention<name>>();

inline constexpr Dsv4Name kDsv4HcaAttn{
    kHcaRatio, "dsv4_hca_attn_module", "dsv4_hca_attn_module_perf",
    "Attention of an HCA block to the window and to all compressed tokens; imported tables only."};
inline constexpr Dsv4Name kDsv4CsaAttn{
    kCsaRatio, "dsv4_csa_attn_module", "dsv4_csa_attn_module_perf",
    "Attention of a CSA block to the window and to the selected compressed tokens; imported tables only."};
using Dsv4HcaAttn = Dsv4Attention<kDsv4HcaAttn>;
using Dsv4CsaAttn = Dsv4Attention<kDsv4CsaAttn>;

inline constexpr Dsv4Name kDsv4TopkCalib{kCsaRatio, "dsv4_csa_topk_calib", "dsv4_csa_topk_calib_perf",
                                         "Selection of the top compressed tokens of a CSA block, per way in "
                                         "which the scores are laid out; imported tables "
                                         "only."};

struct Dsv4CsaTopkCalib : Dsv4Op<kDsv4TopkCalib> {
  Symbol score_mode{"v1_flat"};
  bool operator==(const Dsv4CsaTopkCalib&) const = default;
  static constexpr OpInfo info = [] {
    OpInfo published = dsv4_info(kDsv4TopkCalib, "batch_size*isl*(step + isl)/4*4 / llc_bw");
    published.zero_is_measured = true;  // nothing is selected while the context is short
    return published;
  }();
  static constexpr auto fields = std::tuple_cat(
      kDsv4Fields, std::tuple{field("score_mode", &Dsv4CsaTopkCalib::score_mode, Role::exact,
                                    "v1_flat, v1_top_last and so on: where the large scores lie")});
  static const std::array<Axis<Dsv4CsaTopkCalib>, 3> axes;
  Work work() const { return dsv4_selection_work(*this); }
};
inline constexpr std::array<Axis<Dsv4CsaTopkCalib>, 3> Dsv4CsaTopkCalib::axes =
    dsv4_context_axes<Dsv4CsaTopkCalib>();

}  // namespace perfatlas
