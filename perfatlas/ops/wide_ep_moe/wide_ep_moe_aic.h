// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_moe.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Measured only: other modes have no estimate. The curve over tokens of the exact shape; in vllm and trtllm, where
/// that was not measured, the plain expert layer with the same expert parallelism.
std::unique_ptr<const Pricer> bind(const ExpertCompute& op, const Binding& binding);

/// Measured only: the curve over tokens of exactly these fields.
std::unique_ptr<const Pricer> bind(const MegaMoe& op, const Binding& binding);

}  // namespace perfatlas::aic
