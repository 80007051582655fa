// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/kubernetes_job.h"

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
  EXPECT_THROW(kubernetes_manifest(request(), {"My_Scan", "image", "pool"}), UsageError);
}

}  // namespace
}  // namespace perfatlas
