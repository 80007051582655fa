// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/op_state_space.h"
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

/// The name by which models ask for a kernel that rows go by: single-token decode has one, however it was measured.
/// Asked by another name it is no kernel that was measured.
std::string_view gdn_kernel_asked(std::string_view measured);

/// The exact shape alone. Kernels have several names in tables: any name of single-token decode serves (the first to
/// appear), and the prefill kernel of vllm 0.24.0 may be filed under the library that ran it. Recurrent kernels were
/// measured with a float32 state only; other states are priced at their speed of light.
std::unique_ptr<const Pricer> bind(const Gdn& op, const Binding& binding);

}  // namespace perfatlas::aic
