// SPDX-License-Identifier: Apache-2.0
// Whether the machine is idle enough to measure a serving engine on it.
#pragma once

namespace perfatlas {

/// Share of the processors' time that was used within the next `seconds`; 0 where the system does not say. Blocks.
double busy_share(double seconds);

}  // namespace perfatlas
