// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/page/page.h"

#include <utility>

namespace perfatlas {

std::span<const EmbeddedFile> embedded_page();  // cmake/embed_files.cmake

namespace {

/// Texts of all files of a kind, in their order.
std::string texts(std::span<const EmbeddedFile> files, std::string_view extension) {
  std::string text;
  for (const EmbeddedFile& file : files)
    if (file.name.ends_with(extension)) text += file.text;
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

std::string html_page(const PageContent& content) {
  const std::pair<std::string_view, std::string> parts[] = {
      {"@TITLE@", escape_markup(content.title)},
      {"@STYLE@", texts(embedded_page(), ".css") + texts(content.files, ".css")},
      {"@DATA@", content.json},
      {"@SCRIPT@", texts(embedded_page(), ".js") + texts(content.files, ".js")}};
  const std::string page = texts(content.files, ".html.in");
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

std::string script_safe(std::string_view json) {
  std::string text;
  for (const char c : json)
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text;
}

}  // namespace perfatlas
