// SPDX-License-Identifier: Apache-2.0
// The result folder of a search.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/search/search.h"

namespace perfatlas {

/// A result table: header and rows, figures with up to three decimals, unknown cells empty.
std::string result_csv(const SearchRequest& request, const Experiment& experiment,
                       const std::vector<size_t>& rows);

/// Commands that start the configuration, every kind of worker with how many of it.
std::string launch_text(const SearchRequest& request, const Found& found);

/// report.html: the frontier with every configuration behind its marks, the chosen one explained, a sortable table.
std::string search_html(const SearchResult& result);

/// "org-model_system_backend_isl.._osl.._ttft.._tpot..": usable as one folder level.
std::string result_folder_name(const SearchRequest& request);

/// Writes FOLDER/{report.html, launch.sh} and FOLDER/EXPERIMENT/{pareto.csv, best_config_topn.csv}, each replaced
/// atomically. Throws Error when the folder cannot be written.
void write_results(const SearchResult& result, const std::string& folder);

}  // namespace perfatlas
