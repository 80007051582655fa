// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/cli/verb.h"

namespace perfatlas {

/// perfatlas status: how a collection stands, by one machine or by many.
void add_status(CLI::App& app, Invocation& invocation);

}  // namespace perfatlas
