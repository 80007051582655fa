// SPDX-License-Identifier: Apache-2.0
// report.html: one file that shows a collection in any browser, without a network.
#pragma once

#include <string>

#include "perfatlas/report/report_data.h"

namespace perfatlas {

struct ReportLimits {
  // Beyond these, a seeded sample of rows is shown (every suspicious row first) and the page says so. 1 MB holds
  // about 2,000 rows.
  size_t rows_per_op = 4000;
  size_t listed_failures = 500;
  size_t listed_reruns = 500;
};

/// The data part: one line of JSON, safe inside a script element (no '<'), numbers with six significant digits.
/// Private to the page that carries it; report_golden.json shows its shape.
std::string report_json(const ReportData& data, const ReportLimits& limits = {});

/// The whole page. All text from the collection is data, never markup.
std::string report_html(const ReportData& data, const ReportLimits& limits = {});

}  // namespace perfatlas
