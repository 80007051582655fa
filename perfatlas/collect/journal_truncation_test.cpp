// SPDX-License-Identifier: Apache-2.0
// A journal that ends anywhere inside its last record, as a dead machine or a file system may leave it.
#include <gtest/gtest.h>

#include "perfatlas/collect/journal.h"
#include "perfatlas/collect/plan.h"
#include "perfatlas/collect/resume.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

CaseRecord measured(const Case& c) {
  CaseRecord record{.case_text = case_text(c), .case_id = case_id(c), .backend = "onednn"};
  record.date = "2026-01-31T12:00:00.000Z";
  record.row = Row{
      .c = c, .framework = "onednn", .version = "1", .device = "cpu", .kernel_source = "k", .measured = {.5}};
  record.samples_ms = {.5, .5, .51};
  return record;
}

TEST(JournalTruncation, AtEveryByteOfTheLastRecordOnlyThatRecordIsLostAndCanBeWrittenAgain) {
  const OpRegistry ops = all_ops();
  std::vector<Case> cases;
  for (const int64_t m : {1, 2, 3})
    cases.push_back(make_case(ops.get("gemm"), Gemm{.m = m, .n = 64, .k = 64}));
  const Plan plan = plan_of(cases);
  std::string head, last;
  head += format_record(RunRecord{.run_id = "1", .shard = "1/1", .backend = "onednn"});
  for (size_t i = 0; i < 2; ++i) head += format_record(measured(cases[i]));
  last = format_record(measured(cases[2]));
  const TemporaryFolder folder;
  const std::string path = folder / "journal-20260131T120000.000000Z-00000001.jsonl";
  for (size_t bytes = 0; bytes <= last.size(); ++bytes) {
    replace_file(path, head + last.substr(0, bytes));
    // The newline alone is not needed: the record before it is complete.
    const bool whole = bytes + 1 >= last.size();
    const FolderState state({folder.path()}, ops);
    const Remaining left = remaining_work(plan, state, {.backend = "onednn"});
    ASSERT_EQ(left.done, whole ? 3u : 2u) << bytes;
    ASSERT_EQ(left.fresh.size(), whole ? 0u : 1u) << bytes;
    ASSERT_EQ(state.damaged().size(), whole || bytes == 0 ? 0u : 1u) << bytes;
    if (whole) continue;
    JournalWriter(path).append(measured(cases[2]));
    ASSERT_EQ(remaining_work(plan, FolderState({folder.path()}, ops), {.backend = "onednn"}).done, 3u)
        << bytes;
  }
}

}  // namespace
}  // namespace perfatlas
