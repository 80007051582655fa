// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_memory.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// memory_op_ms of tokens * hidden_size elements. Speed of light: the bytes over the memory bandwidth.
std::unique_ptr<const Pricer> bind(const Embedding& op, const Binding& binding);
/// The same of ceil(floor(tokens / scale_num_tokens) / seq_split) * bytes_per_token.
std::unique_ptr<const Pricer> bind(const ElementWise& op, const Binding& binding);

}  // namespace perfatlas::aic
