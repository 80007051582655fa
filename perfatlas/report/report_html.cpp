// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <span>

#include "perfatlas/base/embedded_file.h"
#include "perfatlas/report/report.h"

namespace perfatlas {

std::span<const EmbeddedFile> embedded_report();  // cmake/embed_files.cmake

namespace {

/// Texts of all embedded files of a kind, in the order of report/CMakeLists.txt.
std::string embedded(std::string_view extension) {
  std::string text;
  for (const EmbeddedFile& file : embedded_report())
    if (file.name.size() > extension.size() &&
        file.name.substr(file.name.size() - extension.size()) == extension)
      text += file.text;
  return text;
}

std::string escape_markup(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

}  // namespace

std::string report_html(const ReportData& data, const ReportLimits& limits) {
  const std::pair<std::string_view, std::string> parts[] = {{"@TITLE@", escape_markup(data.folder)},
                                                            {"@STYLE@", embedded(".css")},
                                                            {"@DATA@", report_json(data, limits)},
                                                            {"@SCRIPT@", embedded(".js")}};
  const std::string page = embedded(".html.in");
  std::string result;
  // One pass over the template, so that a marker inside the data stays data.
  for (size_t at = 0; at < page.size();) {
    const size_t marker = page.find('@', at);
    result += page.substr(at, marker - at);
    if (marker == page.npos) break;
    at = marker + 1;
    std::string_view replaced = "@";
    for (const auto& [name, text] : parts)
      if (page.compare(marker, name.size(), name) == 0) {
        replaced = text;
        at = marker + name.size();
      }
    result += replaced;
  }
  return result;
}

}  // namespace perfatlas
