// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/slurm_job.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "perfatlas/base/command.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Programs of this test's own in front of PATH.
class SlurmJob : public testing::Test {
 protected:
  void SetUp() override {
    path_ = ::getenv("PATH");
    std::filesystem::create_directory(home_ / "bin");
    ::setenv("PATH", ((home_ / "bin") + ":" + path_).c_str(), 1);
    request_ = {.folder = home_ / "run",
                .program = "/usr/bin/perfatlas",
                .arguments = {"--grid", "aic", "--case-filter", "a b"},
                .tasks = 3};
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

  void add_program(const std::string& name, const std::string& body) const {
    const std::string path = home_ / ("bin/" + name);
    replace_file(path, "#!/bin/sh\n" + body + "\n");
    ::chmod(path.c_str(), 0755);
  }

  TemporaryFolder home_;
  std::string path_;
  JobRequest request_;
  OpRegistry ops_ = all_ops();
};

TEST_F(SlurmJob, ScriptCarriesEveryOptionAndIsValidShell) {
  const auto scripts =
      slurm_scripts(request_, first_tasks(3),
                    {"main", "1:00:00", "gpu:1", {"--account=abc", "-A abc", "--comment=a \"b"}}, "launch-1");
  for (const char* line :
       {"#SBATCH --array=1-3\n", "#SBATCH --partition=\"main\"\n", "#SBATCH --time=\"1:00:00\"\n",
        "#SBATCH --gres=\"gpu:1\"\n", "#SBATCH --account=\"abc\"\n", "#SBATCH -A abc\n",
        "#SBATCH --comment=\"a \\\"b\"\n", "#SBATCH --requeue\n",
        "collect --grid aic --case-filter 'a b' --shard"})
    EXPECT_THAT(scripts.job, HasSubstr(line));
  EXPECT_EQ(scripts.tasks, "1/3\tshard-1-of-3\t\n2/3\tshard-2-of-3\t\n3/3\tshard-3-of-3\t\n");
  EXPECT_TRUE(scripts.stop.empty());
  replace_file(home_ / "job.sh", scripts.job);
  EXPECT_EQ(run_command({"bash", "-n", home_ / "job.sh"}).output, "");
}

TEST_F(SlurmJob, ATargetAddsAJobThatJudgesAllJournals) {
  request_.target_p90 = "8%";
  const auto scripts = slurm_scripts(request_, first_tasks(3), {}, "launch-1");
  EXPECT_THAT(scripts.job, HasSubstr("--stop-file " + request_.folder + "/stopped"));
  EXPECT_THAT(scripts.stop, HasSubstr("--target-p90 8%"));
  replace_file(home_ / "stop.sh", scripts.stop);
  EXPECT_EQ(run_command({"bash", "-n", home_ / "stop.sh"}).output, "");
}

TEST_F(SlurmJob, ATaskSaysWhenTheFolderIsNotShared) {
  const auto scripts = slurm_scripts(request_, first_tasks(3), {}, "launch-1");
  replace_file(home_ / "job.sh", scripts.job);  // but no launch-1.tasks beside it
  const auto result = run_command({"env", "SLURM_ARRAY_TASK_ID=1", "bash", home_ / "job.sh"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.output, HasSubstr("on a file system that all nodes share"));
}

TEST_F(SlurmJob, ATaskRunsItsShardWithItsOptionsAndKeepsTheExitCode) {
  add_program("collector", "printf '[%s]' \"$@\"; exit 7");
  request_.program = home_ / "bin/collector";
  const std::vector<JobTask> tasks{
      {{1, 3, 0, 2}, "shard-2-of-3.piece-1-of-2", {"shard-2-of-3", "by hand *"}}};
  make_writable_folder(request_.folder);
  const auto scripts = slurm_scripts(request_, tasks, {}, "launch-1");
  replace_file(request_.folder + "/launch-1.tasks", scripts.tasks);
  replace_file(home_ / "job.sh", scripts.job);
  const auto result = run_command({"env", "SLURM_ARRAY_TASK_ID=1", "bash", home_ / "job.sh"});
  EXPECT_EQ(result.code, 7);
  EXPECT_EQ(result.output, "[collect][--grid][aic][--case-filter][a b][--shard][2/3:1/2][--out][" +
                               request_.folder + "/shard-2-of-3.piece-1-of-2][--done-in][" + request_.folder +
                               "/shard-2-of-3][--done-in][" + request_.folder + "/by hand *]");
}

TEST_F(SlurmJob, PathsThatSbatchWouldReadOtherwiseAreQuoted) {
  request_.folder = "/shared/my run/100%";
  EXPECT_THAT(slurm_scripts(request_, first_tasks(1), {}, "launch-1").job,
              HasSubstr("#SBATCH --output=\"/shared/my run/100%%/launch-1-%A_%a.log\"\n"));
}

TEST_F(SlurmJob, WhatNoScriptCanHoldIsRefusedBeforeAnythingIsWritten) {
  for (const char* name : {"back\\slash", "new\nline"}) {
    request_.folder = home_ / name;
    EXPECT_THROW(submit_to_slurm(ops_, request_, {}, true), UsageError) << name;
    EXPECT_FALSE(file_exists(request_.folder));
  }
  request_.folder = home_ / "run";
  EXPECT_THROW(submit_to_slurm(ops_, request_, {.partition = "a\nb"}, true), UsageError);
  EXPECT_THROW(submit_to_slurm(ops_, request_, {.sbatch_options = {"--comment=a\nrm b"}}, true), UsageError);
}

TEST_F(SlurmJob, NoTasksAreRefused) {
  request_.tasks = 0;
  EXPECT_THROW(submit_to_slurm(ops_, request_, {}, true), UsageError);
}

TEST_F(SlurmJob, RefusalOfSbatchIsPassedOnInItsOwnWords) {
  add_program("sbatch",
              "echo 'sbatch: error: invalid partition specified: gold' >&2; echo 'sbatch: error: batch job "
              "submission "
              "failed' >&2; exit 1");
  try {
    submit_to_slurm(ops_, request_, {.partition = "gold"}, false);
    FAIL() << "it should have thrown";
  } catch (const Error& error) {
    EXPECT_THAT(
        error.what(),
        HasSubstr("sbatch refused (1): sbatch: error: invalid partition specified: gold; sbatch: error: "
                  "batch job submission failed"));
  }
}

TEST_F(SlurmJob, AMissingSbatchIsNamed) {
  ::setenv("PATH", (home_ / "bin").c_str(), 1);
  try {
    submit_to_slurm(ops_, request_, {}, false);
    FAIL() << "it should have thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot run sbatch"));
  }
}

TEST_F(SlurmJob, ASecondSubmissionWaitsForTheFirst) {
  add_program("sbatch", "echo 123");
  add_program("squeue", "echo '123_1 main perfatlas R'");
  const SubmittedJob job = submit_to_slurm(ops_, request_, {}, false);
  EXPECT_EQ(job.job_id, "123");
  EXPECT_EQ(job.tasks, 3u);
  EXPECT_TRUE(file_exists(job.script));
  EXPECT_THROW(submit_to_slurm(ops_, request_, {}, false), Error);
  add_program("squeue", "exit 0");
  EXPECT_EQ(submit_to_slurm(ops_, request_, {}, false).job_id, "123");
}

TEST_F(SlurmJob, ADryRunWritesAndSubmitsNothing) {
  add_program("sbatch", fmt::format("touch {}", home_ / "submitted"));
  const SubmittedJob job = submit_to_slurm(ops_, request_, {}, true);
  EXPECT_TRUE(file_exists(job.script));
  EXPECT_TRUE(job.job_id.empty());
  EXPECT_FALSE(file_exists(home_ / "submitted"));
}

}  // namespace
}  // namespace perfatlas
