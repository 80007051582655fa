// SPDX-License-Identifier: Apache-2.0
// Searching for the fewest GPUs that carry a load: shared by recommend, and by search without a number of GPUs.
#pragma once

#include "perfatlas/cli/search_options.h"
#include "perfatlas/search/search.h"

namespace perfatlas {

/// --target-request-rate and --target-concurrency.
void add_load_target(CLI::App& verb, LoadTarget& load);

/// Neither was given.
bool empty(const LoadTarget& load);

/// Runs and prints the recommendation; an exit code. Throws UsageError unless exactly one target is given and positive.
int recommend_for_load(const SearchArguments& search, const LoadTarget& load, bool json,
                       const OpRegistry& ops);

}  // namespace perfatlas
