// SPDX-License-Identifier: Apache-2.0
// An op of several kernels of which one never works: collected by a real supervisor, found by validate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/collect/staging.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/collect/validate.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/mamba2/mamba2.h"
#include "perfatlas/store/csv.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

class SubKernels : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    std::filesystem::create_directory(folder_ + "/memory");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Collects every sub-kernel of Mamba-2 for a few batches; `rule`: what goes wrong, or empty.
  void collect_mamba2(const std::string& rule) {
    std::vector<Case> cases;
    for (const std::string_view kernel : Mamba2::kSubKernels) {
      const bool context = kernel == Mamba2::kConvFn || kernel == Mamba2::kChunkScan;
      Mamba2 op{.kernel = Symbol(kernel), .phase = context ? LinearPhase::context : LinearPhase::generation};
      for (const int64_t batch : {1, 2, 4, 8, 16}) {
        Mamba2::set_batch(op, batch);
        cases.push_back(make_case(mamba2(), op));
      }
    }
    CollectOptions options;
    options.folder = folder_ + "/out";
    options.backend = "fake";
    options.drift.max_cases = 0;
    options.case_deadline_s = 20;
    options.worker_command = {std::string(PERFATLAS_BIN) + "/perfatlas-worker-fake", "--devices", "{device}",
                              "--memory", folder_ + "/memory"};
    if (!rule.empty()) options.worker_command.insert(options.worker_command.end(), {"--fault", rule});
    CollectObserver nobody;
    collect(plan_of(cases), ops_, options, nobody);
  }

  std::optional<Finding> missing_sub_kernel() const {
    ValidateRequest request;
    request.collections = {folder_ + "/out"};
    request.limits.failure_share = 1;  // the failures themselves are not what is looked for
    for (const Finding& finding : validate(ops_, request).findings)
      if (finding.check == "sub-kernel") return finding;
    return std::nullopt;
  }

  const OpType& mamba2() const { return ops_.get("mamba2"); }

  std::string folder_ = testing::TempDir() + "perfatlas_sub_kernel_XXXXXX";
  OpRegistry ops_ = all_ops();
};

TEST_F(SubKernels, AllPresentAreNoFinding) {
  collect_mamba2("");
  EXPECT_FALSE(missing_sub_kernel().has_value());
}

TEST_F(SubKernels, OneThatAlwaysFailsIsNoticed) {
  collect_mamba2("fail:selective_state_update");
  const auto finding = missing_sub_kernel();
  ASSERT_TRUE(finding.has_value());
  EXPECT_TRUE(finding->fails);
  EXPECT_THAT(
      finding->examples,
      testing::ElementsAre(HasSubstr("mamba2: kernel_source 'selective_state_update' has no rows at all")));
}

TEST_F(SubKernels, OneThatIsAlwaysSkippedIsNoticedToo) {
  collect_mamba2("skip:mamba_chunk_scan_combined");
  const auto finding = missing_sub_kernel();
  ASSERT_TRUE(finding.has_value());
  EXPECT_TRUE(finding->fails);
  EXPECT_THAT(finding->examples.at(0), HasSubstr("'mamba_chunk_scan_combined'"));
}

TEST_F(SubKernels, TheTableNamesTheSubKernelAndTheKernelThatRan) {
  collect_mamba2("");
  const auto rows = read_csv_table(mamba2(), staging_path(folder_ + "/out", mamba2()));
  ASSERT_EQ(rows.size(), size_t{20});
  for (const Row& row : rows) {
    EXPECT_EQ(row.kernel_source, "fake_kernel");
    EXPECT_NE(decode<Mamba2>(row.c.values).kernel, Symbol("fake_kernel"));
  }
}

}  // namespace
}  // namespace perfatlas
