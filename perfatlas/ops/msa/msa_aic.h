// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// Silicon as DSA. Where MSA was not measured, estimates borrow the utilisation of DSA blocks (xop), times dsa_scale_k.
std::unique_ptr<const Pricer> bind(const MsaModule& op, const Binding& binding);

}  // namespace perfatlas::aic
