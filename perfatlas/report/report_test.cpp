// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

#include "perfatlas/report/report_fixture_test.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Report : public testing::Test {
 protected:
  ReportData gather(int sites) {
    write_toy_collection(folder_, ops_, sites);
    return gather_report(folder_.path(), ops_);
  }
  const ReportRow& row(const ReportData& data, const ToyMatmul& op) {
    const Case c = make_case(ops_.get("toy_matmul"), op);
    for (const ReportRow& r : data.ops.at(0).rows)
      if (r.record.row->c == c) return r;
    throw Error("no such row: " + case_text(c));
  }
  OpRegistry ops_ = toy_ops();
  ToyFolder folder_{"perfatlas_report_"};
};

TEST_F(Report, CountsEveryOutcomePerOp) {
  const ReportData data = gather(4);
  ASSERT_EQ(data.ops.size(), 2u);
  EXPECT_EQ(data.ops[0].outcomes.at(Outcome::measured), 4u * 2 * 13);
  EXPECT_EQ(data.ops[0].outcomes.at(Outcome::skipped), 2u);
  EXPECT_EQ(data.ops[1].outcomes.at(Outcome::crashed), 1u);
  EXPECT_EQ(data.failures.size(), 3u);
  ASSERT_EQ(data.skips.size(), 1u);
  EXPECT_EQ(data.skips[0].cases, 2u);
  EXPECT_EQ(data.skips[0].reason, "no fp8 here");
  ASSERT_EQ(data.runs.size(), 1u);
  EXPECT_EQ(data.runs[0].end->why, "budget");
  EXPECT_THAT(data.notes, IsEmpty());
}

TEST_F(Report, NamesWhyARowIsSuspicious) {
  const ReportData data = gather(4);
  const auto why = [&](Quant dtype, int64_t m, int64_t n) {
    return row(data, {dtype, m, n, 1024}).suspicions;
  };
  EXPECT_THAT(why(Quant::bf16, 64, 1024), ElementsAre(HasSubstr("its neighbours along m")));
  EXPECT_THAT(why(Quant::bf16, 32, 1024), IsEmpty()) << "beside a spike, not one itself";
  EXPECT_THAT(why(Quant::bf16, 128, 1024), IsEmpty());
  EXPECT_THAT(why(Quant::bf16, 4096, 2048), Contains(HasSubstr("faster than light: efficiency 1.1")));
  EXPECT_THAT(why(Quant::bf16, 16, 3072), ElementsAre("throttled in every attempt"));
  EXPECT_THAT(why(Quant::bf16, 8, 3072), ElementsAre("noisy: median +- 12.0 %"));
  EXPECT_THAT(why(Quant::bf16, 32, 4096), ElementsAre("drifted: +25 % when measured again"));
  EXPECT_THAT(why(Quant::bf16, 1, 1024), IsEmpty());
}

TEST_F(Report, TheNewestRecordOfACaseCounts) {
  const Case c = make_case(ops_.get("toy_norm"), ToyNorm{1, 1024});
  {
    JournalWriter journal(folder_.journal());
    journal.append(toy_run());
    journal.append(toy_outcome(c, Outcome::crashed, "SIGSEGV"));
    journal.append(toy_record(c));
  }
  const ReportData data = gather_report(folder_.path(), ops_);
  EXPECT_THAT(data.failures, IsEmpty());
  EXPECT_EQ(data.ops.at(0).outcomes.at(Outcome::measured), 1u);
  EXPECT_FALSE(data.runs.at(0).end) << "this run did not end in order";
}

TEST_F(Report, ATornLineIsNamedAndLeftOut) {
  write_toy_collection(folder_, ops_, 1);
  std::ofstream(folder_.journal(), std::ios::app) << "0123abcd {\"torn";
  const ReportData data = gather_report(folder_.path(), ops_);
  ASSERT_EQ(data.damaged.size(), 1u);
  EXPECT_THAT(report_json(data), HasSubstr("journal-20260102T030405Z-00000001.jsonl:"));
}

TEST_F(Report, WithoutASystemDescriptionNothingIsGuessed) {
  {
    JournalWriter journal(folder_.journal());
    RunRecord run = toy_run();
    run.system_json.clear();
    journal.append(run);
    CaseRecord record = toy_record(make_case(ops_.get("toy_norm"), ToyNorm{1, 1024}));
    record.row->quality->efficiency.reset();
    journal.append(record);
  }
  const ReportData data = gather_report(folder_.path(), ops_);
  EXPECT_FALSE(data.ops.at(0).rows.at(0).efficiency);
  EXPECT_THAT(data.notes, ElementsAre(HasSubstr("perfatlas probe")));
  const Json json = Json::parse(report_json(data));
  EXPECT_TRUE(json["system"].is_null());
  EXPECT_TRUE(json["summary"]["efficiency"].is_null());
}

TEST_F(Report, SystemJsonOfTheFolderGoesFirst) {
  write_toy_collection(folder_, ops_, 1);
  SystemSpec other = toy_machine();
  other.system = "other";
  write_system_spec(other, folder_.path() + "/system.json");
  EXPECT_EQ(gather_report(folder_.path(), ops_).system->system, "other");
}

TEST_F(Report, AFolderWithoutJournalIsAnError) {
  try {
    gather_report(folder_.path(), ops_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(),
              folder_.path() + ": holds no journal; give the folder that `perfatlas collect --out` wrote");
  }
}

// To renew the golden after a wanted change: PERFATLAS_RENEW_GOLDEN=1 report_test
TEST_F(Report, DataPartIsAsCommitted) {
  const Case spare = make_case(ops_.get("toy_norm"), ToyNorm{2, 1024});
  {
    JournalWriter journal(folder_.journal());
    journal.append(toy_run());
    journal.append(toy_record(make_case(ops_.get("toy_matmul"), ToyMatmul{Quant::bf16, 8, 1024, 2048})));
    journal.append(toy_record(spare));
    journal.append(
        toy_outcome(make_case(ops_.get("toy_norm"), ToyNorm{4, 1024}), Outcome::failed, kHostileText));
    journal.append(RerunRecord{case_text(spare), case_id(spare), 2, 2.1, {}});
  }
  ReportData data = gather_report(folder_.path(), ops_);
  data.folder = "golden";
  const std::string text = Json::parse(report_json(data)).dump(1) + "\n";
  const std::string path = PERFATLAS_REPORT_FOLDER "/report_golden.json";
  if (std::getenv("PERFATLAS_RENEW_GOLDEN")) replace_file(path, text);
  EXPECT_EQ(text, read_file(path));
}

TEST_F(Report, TextOfTheCollectionNeverBecomesMarkup) {
  ReportData data = gather(1);
  data.folder = kHostileText;
  EXPECT_THAT(report_json(data), Not(HasSubstr("<")));
  const std::string page = report_html(data);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;/script&gt;&lt;script&gt;alert"));
  EXPECT_EQ(Json::parse(report_json(data))["folder"], kHostileText);
}

TEST_F(Report, IsOneFileThatFetchesNothing) {
  const std::string page = report_html(gather(2));
  for (const char* reference : {"http:", "https:", "src=", "@import", "url(", "<link", "fetch(", "import("})
    EXPECT_THAT(page, Not(HasSubstr(reference)));
  for (const char* marker : {"@TITLE@", "@STYLE@", "@SCRIPT@"}) EXPECT_THAT(page, Not(HasSubstr(marker)));
  for (const auto& op : ops_.ops())
    EXPECT_THAT(page, HasSubstr("\"id\":\"" + std::string(op->info.id) + "\""));
}

TEST_F(Report, IsWellFormed) {
  const std::string path = folder_.path() + "/report.html";
  replace_file(path, report_html(gather(2)));
  const std::string command =
      std::string(PERFATLAS_PYTHON) + " " PERFATLAS_REPORT_FOLDER "/check_html_test.py " + path;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

TEST_F(Report, TwoThousandRowsTakeLessThanAMegabyte) {
  const ReportData data = gather(76);
  ASSERT_GE(data.ops[0].rows.size() + data.ops[1].rows.size(), 2000u);
  EXPECT_LT(report_html(data).size(), 1'000'000u);
}

TEST_F(Report, ALargeTableIsSampledAndSaysSo) {
  const ReportData data = gather(8);
  const Json op = Json::parse(report_json(data, {.rows_per_op = 50}))["ops"][0];
  EXPECT_EQ(op["rows"].size(), 50u);
  EXPECT_EQ(op["measured"], data.ops[0].rows.size());
  size_t suspicious = 0, shown = 0;
  for (const ReportRow& r : data.ops[0].rows) suspicious += !r.suspicions.empty();
  for (const Json& r : op["rows"]) shown += !r[4 + 14].get<std::string>().empty();
  EXPECT_GT(suspicious, 0u);
  EXPECT_EQ(shown, suspicious) << "every suspicious row is shown";
}

}  // namespace
}  // namespace perfatlas
