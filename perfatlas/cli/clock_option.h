// SPDX-License-Identifier: Apache-2.0
// --lock-clocks: for owners of a machine whose GPUs nobody else uses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/hw/machine_clock_lock.h"

namespace perfatlas {

/// Throws UsageError where there is nobody to be asked: clocks are never changed without a yes at the terminal, nor for
/// a back end without GPUs.
void require_clock_owner(const std::string& backend);

/// Says what would be changed on which GPUs (those that the workers of `devices` name), asks, and holds their clocks at
/// `mhz` while the result lives. Throws UsageError for any other answer than yes, Error when a clock cannot be set.
std::unique_ptr<ClockLock> lock_clocks_if_confirmed(unsigned mhz, const std::string& backend,
                                                    const std::vector<std::string>& devices);

}  // namespace perfatlas
