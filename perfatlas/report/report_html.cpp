// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/page/page.h"
#include "perfatlas/report/report.h"

namespace perfatlas {

std::span<const EmbeddedFile> embedded_report();  // cmake/embed_files.cmake

std::string report_html(const ReportData& data, const ReportLimits& limits) {
  return html_page({.title = data.folder, .json = report_json(data, limits), .files = embedded_report()});
}

}  // namespace perfatlas
