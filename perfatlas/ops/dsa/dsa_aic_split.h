// SPDX-License-Identifier: Apache-2.0
// DSA blocks of prompts that several ranks share.
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/split_pricer.h"

namespace perfatlas::aic {

/// What changes when op.cp_size ranks share a prompt. With an indexer: a rank scores 1/cp of the whole prompt's pairs
/// and selects for 1/cp of its tokens, among scores of which the largest lie at the end; a part measured alone has
/// fewer pairs, and selects among random scores. Gathered: the indexer's keys (with an indexer) and the compressed
/// cache entries. The kernels were measured for GLM-5's heads only (dsa_mqa_logits, dsa_topk).
SplitBlock split_block(const DsaModule& op, bool with_indexer, const Binding& binding);

}  // namespace perfatlas::aic
