// SPDX-License-Identifier: Apache-2.0
// The page in a real browser, when Chromium is installed: its script runs to the end and draws every figure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "perfatlas/report/report.h"
#include "perfatlas/report/report_fixture_test.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return text;
  char buffer[4096];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, count);
  ::pclose(pipe);
  return text;
}

bool browser_missing() { return output_of("command -v chromium").empty(); }

/// The page of a collection after its script has run. With PERFATLAS_KEEP_REPORT the page is kept, to be looked at.
std::string drawn_page(const ToyFolder& folder, const OpRegistry& ops) {
  const std::string path = folder.path() + "/report.html";
  replace_file(path, report_html(gather_report(folder.path(), ops)));
  if (const char* keep = std::getenv("PERFATLAS_KEEP_REPORT")) replace_file(keep, read_file(path));
  return output_of("timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir=" +
                   folder.path() + "/profile --dump-dom file://" + path + " 2>/dev/null");
}

constexpr const char* kNoBrowser = "chromium is not installed; the page was not drawn";

TEST(ReportInABrowser, SurvivesACollectionWithoutOneRow) {
  if (browser_missing()) GTEST_SKIP() << kNoBrowser;
  const ToyFolder folder("perfatlas_browser_");
  const OpRegistry ops = toy_ops();
  {
    JournalWriter journal(folder.journal());
    journal.append(toy_run());
    journal.append(toy_outcome(make_case(ops.get("toy_norm"), ToyNorm{1, 1}), Outcome::crashed, "SIGSEGV"));
  }
  const std::string page = drawn_page(folder, ops);
  EXPECT_THAT(page, HasSubstr("Nothing was measured."));
  EXPECT_THAT(page, HasSubstr("did not end in order"));
  EXPECT_THAT(page, HasSubstr("No efficiency is known."));  // the last thing that is drawn
}

TEST(ReportInABrowser, DrawsASingleRow) {
  if (browser_missing()) GTEST_SKIP() << kNoBrowser;
  const ToyFolder folder("perfatlas_browser_");
  const OpRegistry ops = toy_ops();
  {
    JournalWriter journal(folder.journal());
    CaseRecord record = toy_record(make_case(ops.get("toy_norm"), ToyNorm{1, 1}));
    journal.append(toy_run());
    journal.append(record);
  }
  EXPECT_THAT(drawn_page(folder, ops), HasSubstr("id=\"latency-figure\"><svg"));
}

TEST(ReportInABrowser, DrawsEveryFigure) {
  if (browser_missing()) GTEST_SKIP() << kNoBrowser;
  const ToyFolder folder("perfatlas_browser_");
  const OpRegistry ops = toy_ops();
  write_toy_collection(folder, ops, 12);
  const std::string page = drawn_page(folder, ops);
  ASSERT_THAT(page, HasSubstr("</html>"));
  for (const char* figure :
       {"latency-figure", "efficiency-histogram", "efficiency-heat", "noise-histogram", "drift-histogram"})
    EXPECT_THAT(page, HasSubstr(std::string("id=\"") + figure + "\"><svg")) << figure;
  EXPECT_THAT(page, HasSubstr("<option>toy_norm</option>"));
  EXPECT_THAT(page, HasSubstr("&lt;/script&gt;&lt;script&gt;alert")) << "hostile text is shown as text";
}

}  // namespace
}  // namespace perfatlas
