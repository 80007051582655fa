// SPDX-License-Identifier: Apache-2.0
// Parts whose data sheets are known: data/systems/*.json, compiled in.
#pragma once

#include <string_view>
#include <vector>

#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

/// Every known system, by name.
std::vector<SystemSpec> known_systems();

/// The known system whose `device` is exactly this vendor's name, or nothing. Names are compared whole: H100 PCIe,
/// SXM and NVL are different parts.
std::optional<SystemSpec> find_known_device(std::string_view device);

}  // namespace perfatlas
