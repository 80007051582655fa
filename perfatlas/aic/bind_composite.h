// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

std::unique_ptr<const Pricer> bind(const Overlap& op, const Binding& binding);
/// In mode hybrid the primary group is priced as in silicon, so that missing data falls through.
std::unique_ptr<const Pricer> bind(const Fallback& op, const Binding& binding);

}  // namespace perfatlas::aic
