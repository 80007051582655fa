// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_mla.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// As latent attention alone (mla_aic.h), from rows that also agree in the mode of the projections and in the model's
/// own number of heads. That number: the asked one; else the only one; else the nearest below; else the smallest.
std::unique_ptr<const Pricer> bind(const MlaModule& op, const Binding& binding);

}  // namespace perfatlas::aic
