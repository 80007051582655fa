// SPDX-License-Identifier: Apache-2.0
// DeepSeek-V4 attention blocks of prompts that several ranks share.
#pragma once

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/split_pricer.h"

namespace perfatlas::aic {

/// What changes when op.cp_size ranks share a prompt. CSA: a rank scores 1/cp of the whole prompt's pairs and selects
/// for 1/cp of its tokens, where a part measured alone has fewer pairs; gathered are the indexer's keys. HCA: gathered
/// are the uncompressed entries of the window. Both: the compressed entries. The kernels (dsv4_paged_mqa_logits_module,
/// dsv4_csa_topk_calib) count for the asked head count of the model only.
SplitBlock split_block(const Dsv4Attention& op, const Binding& binding);

}  // namespace perfatlas::aic
