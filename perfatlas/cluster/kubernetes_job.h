// SPDX-License-Identifier: Apache-2.0
// A collection as a Kubernetes Indexed Job. The manifest is printed, never applied: what it may use is the cluster's
// affair.
#pragma once

#include <string>

#include "perfatlas/cluster/job_request.h"

namespace perfatlas {

struct KubernetesOptions {
  std::string name = "perfatlas";  // of the job; a DNS label
  std::string image;               // container image that holds perfatlas and its workers
  std::string claim;               // PersistentVolumeClaim, ReadWriteMany, mounted at the request's folder
  int64_t gpus = 0;                // nvidia.com/gpu of each pod
};

/// JSON, which kubectl apply -f takes as it takes YAML: one pod per shard, restarted where it was when it fails.
/// Throws UsageError when image or claim is missing, and for names and paths that a cluster refuses (RFC 1123; pods are
/// named <name>-<index>).
std::string kubernetes_manifest(const JobRequest& request, const KubernetesOptions& options);

}  // namespace perfatlas
