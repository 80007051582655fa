// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/kubernetes_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

JobRequest request() {
  return {.folder = "/shared/run",
          .program = "/usr/bin/perfatlas",
          .arguments = {"--grid", "aic", "--case-filter", "a b"},
          .tasks = 4};
}

TEST(KubernetesJob, RunsOneIndexedPodPerShardOnTheSharedClaim) {
  const auto job =
      nlohmann::json::parse(kubernetes_manifest(request(), {"scan", "registry/perfatlas:1", "pool", 1}));
  EXPECT_EQ(job["spec"]["completionMode"], "Indexed");
  EXPECT_EQ(job["spec"]["completions"], 4);
  const auto& pod = job["spec"]["template"]["spec"];
  EXPECT_EQ(pod["volumes"][0]["persistentVolumeClaim"]["claimName"], "pool");
  const auto& container = pod["containers"][0];
  EXPECT_EQ(container["volumeMounts"][0]["mountPath"], "/shared/run");
  EXPECT_EQ(container["resources"]["limits"]["nvidia.com/gpu"], 1);
  EXPECT_EQ(
      container["command"][2],
      "shard=$((JOB_COMPLETION_INDEX + 1)); exec /usr/bin/perfatlas collect --grid aic --case-filter 'a b' "
      "--shard \"$shard/4\" --out /shared/run/shard-$shard-of-4");
}

TEST(KubernetesJob, RefusesWhatTheClusterWouldRefuse) {
  EXPECT_THROW(kubernetes_manifest(request(), {"scan", "", "pool"}), UsageError);
  EXPECT_THROW(kubernetes_manifest(request(), {"scan", "image", ""}), UsageError);
  for (const char* name : {"My_Scan", "-scan", "scan-", "a b", "scan.v2", "sc\u00e4n", ""})
    EXPECT_THROW(kubernetes_manifest(request(), {name, "image", "pool"}), UsageError) << name;
  for (const char* claim : {"My Pool", "pool/a", "a..b", "POOL"})
    EXPECT_THROW(kubernetes_manifest(request(), {"scan", "image", claim}), UsageError) << claim;
  EXPECT_NO_THROW(kubernetes_manifest(request(), {"scan", "image", "pool.v2"}));
  EXPECT_THROW(kubernetes_manifest(request(), {"scan", "im age", "pool"}), UsageError);
  JobRequest colon = request();
  colon.folder = "/shared/a:b";
  EXPECT_THROW(kubernetes_manifest(colon, {"scan", "image", "pool"}), UsageError);
}

TEST(KubernetesJob, NamesOfPodsMustFitTheirIndexToo) {
  JobRequest many = request();
  many.tasks = 1000;
  EXPECT_NO_THROW(kubernetes_manifest(many, {std::string(59, 'a'), "image", "pool"}));  // and "-999"
  try {
    kubernetes_manifest(many, {std::string(60, 'a'), "image", "pool"});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("is too long: its pods are named like"));
  }
}

}  // namespace
}  // namespace perfatlas
