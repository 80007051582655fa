// SPDX-License-Identifier: Apache-2.0
// HTML pages in one file that show their data in any browser, without a network.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "perfatlas/base/embedded_file.h"

namespace perfatlas {

struct PageContent {
  std::string title;  // text, not markup
  std::string json;   // script_safe; the element with id "data"
  std::span<const EmbeddedFile>
      files;  // one *.html.in with the markers @TITLE@ @STYLE@ @DATA@ @SCRIPT@; *.css and *.js
};

/// The whole page: page.css and page_chart.js of this folder come before the content's own, in the order given.
/// A marker inside the data stays data.
std::string html_page(const PageContent& content);

/// JSON that may stand inside a script element: without '<', which occurs only inside its strings.
std::string script_safe(std::string_view json);

}  // namespace perfatlas
