// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/kubernetes_job.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/command.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostLabel = 63;  // characters of a DNS label (RFC 1123)
constexpr size_t kMostSubdomain = 253;
constexpr int kGraceSeconds = 120;     // between SIGTERM and SIGKILL: the case that runs may end
constexpr int kRestartsPerIndex = 20;  // of one shard, before it counts as failed

bool is_dns_label(std::string_view name) {
  return !name.empty() && name.size() <= kMostLabel && name.front() != '-' && name.back() != '-' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name.npos;
}

/// Labels with dots between them.
bool is_dns_subdomain(std::string_view name) {
  const auto labels = split(name, '.');
  return name.size() <= kMostSubdomain && std::all_of(labels.begin(), labels.end(), is_dns_label);
}

/// What a cluster would refuse only when the manifest is applied, or when its pods are made.
void check(const JobRequest& request, const KubernetesOptions& options) {
  if (options.image.empty())
    throw UsageError("--launcher k8s needs --image, a container image with perfatlas");
  if (options.image.find_first_of(" \t\n") != options.image.npos)
    throw UsageError(fmt::format("--image '{}' is no image name: it has blanks", options.image));
  if (options.claim.empty())
    throw UsageError("--launcher k8s needs --claim, a ReadWriteMany volume claim that all pods share");
  if (!is_dns_subdomain(options.claim))
    throw UsageError(fmt::format("--claim '{}' is no name of a volume claim (lower case, digits, '-', '.')",
                                 options.claim));
  if (request.tasks == 0) throw UsageError("--tasks 0 would measure nothing");
  if (!is_dns_label(options.name))
    throw UsageError(fmt::format("--job-name '{}' is no DNS label (lower case, digits, '-')", options.name));
  if (const std::string pod = fmt::format("{}-{}", options.name, request.tasks - 1); !is_dns_label(pod))
    throw UsageError(
        fmt::format("--job-name '{}' is too long: its pods are named like {}, which may have {} characters",
                    options.name, pod, kMostLabel));
  if (request.folder.find(':') != request.folder.npos)
    throw UsageError(fmt::format(
        "--out {}: Kubernetes mounts nothing at a path with ':'; name another folder", request.folder));
}

/// The shard's number follows from the pod's index; its folder from that.
std::string command_line(const JobRequest& request) {
  std::string line =
      fmt::format("shard=$((JOB_COMPLETION_INDEX + 1)); exec {} collect", shell_quoted(request.program));
  for (const std::string& word : request.arguments) line.append(1, ' ').append(shell_quoted(word));
  line += fmt::format(" --shard \"$shard/{0}\" --out {1}/shard-$shard-of-{0}", request.tasks,
                      shell_quoted(request.folder));
  if (!request.target_p90.empty())
    line += fmt::format(" --stop-file {}", shell_quoted(request.folder + "/stopped"));
  return line;
}

}  // namespace

std::string kubernetes_manifest(const JobRequest& request, const KubernetesOptions& options) {
  check(request, options);
  Json container{{"name", "collect"},
                 {"image", options.image},
                 {"command", Json::array({"/bin/sh", "-c", command_line(request)})},
                 {"volumeMounts", Json::array({Json{{"name", "shared"}, {"mountPath", request.folder}}})}};
  if (options.gpus > 0) container["resources"]["limits"]["nvidia.com/gpu"] = options.gpus;
  const Json pod{
      {"restartPolicy", "Never"},
      {"terminationGracePeriodSeconds", kGraceSeconds},
      {"containers", Json::array({container})},
      {"volumes", Json::array({Json{{"name", "shared"},
                                    {"persistentVolumeClaim", Json{{"claimName", options.claim}}}}})}};
  const Json job{{"apiVersion", "batch/v1"},
                 {"kind", "Job"},
                 {"metadata", Json{{"name", options.name}}},
                 {"spec", Json{{"completionMode", "Indexed"},
                               {"completions", request.tasks},
                               {"parallelism", request.tasks},
                               {"backoffLimitPerIndex", kRestartsPerIndex},
                               {"template", Json{{"spec", pod}}}}}};
  return job.dump(2);
}

}  // namespace perfatlas
