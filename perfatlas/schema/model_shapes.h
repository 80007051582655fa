// SPDX-License-Identifier: Apache-2.0
// The shapes that real models need, as prototypes of the ops they issue.
#pragma once

#include <algorithm>
#include <vector>

#include "perfatlas/schema/derive.h"

namespace perfatlas {

/// One value per distinct op a model issues on one rank. Only the fields that the model fixes (weight shapes, heads,
/// dtypes) are meaningful; the sizes that vary from step to step (tokens, batch, sequence) are swept by the op's
/// model_cases. Holds any op without knowing it.
///
/// Prototypes are taken from steps of one request: a context step of kPrototypeTokens new tokens and a generation step.
/// So a context op whose token count is 1 works per request (the logits), not per token, and never sees a whole prompt.
class ModelShapes {
 public:
  void add(const Case& prototype) {
    if (std::find(prototypes_.begin(), prototypes_.end(), prototype) == prototypes_.end())
      prototypes_.push_back(prototype);
  }

  /// The prototypes of one op, in the order the models issue them.
  template <class Op>
  std::vector<Op> of() const {
    std::vector<Op> found;
    for (const Case& c : prototypes_)
      if (c.op->info.id == Op::info.id) found.push_back(decode<Op>(c.values));
    return found;
  }

 private:
  std::vector<Case> prototypes_;
};

inline constexpr int64_t kPrototypeTokens = 2;

/// Numbers of tokens in a step that model grids sweep: every power of two up to 8192 and the midpoints from 24 on.
inline constexpr int64_t kTokenLadder[] = {1,   2,   4,   8,   16,   24,   32,   48,   64,   96,   128, 192,
                                           256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};

/// Requests in a step, and sequence lengths, that model grids sweep.
inline constexpr int64_t kBatchLadder[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
inline constexpr int64_t kSequenceLadder[] = {1, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};

}  // namespace perfatlas
