// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/clock_option.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <iostream>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/worker_session.h"

namespace perfatlas {

void require_clock_owner(const std::string& backend) {
  if (backend != "cuda")
    throw UsageError(fmt::format("--lock-clocks is for --backend cuda; '{}' has no GPU of its own", backend));
  if (::isatty(STDIN_FILENO) == 0)
    throw UsageError(
        "--lock-clocks asks before it changes a GPU that others may use, and standard input is no terminal");
}

std::unique_ptr<ClockLock> lock_clocks_if_confirmed(unsigned mhz, const std::string& backend,
                                                    const std::vector<std::string>& devices) {
  std::vector<std::string> uuids;
  for (const std::string& device : devices) {
    const WorkerSession worker(backend, device);
    const auto& versions = worker.hello().device.versions;
    const auto uuid = versions.find("device_uuid");
    if (uuid == versions.end())
      throw Error(
          fmt::format("--lock-clocks: the worker of device {} does not say which GPU that is", device));
    uuids.push_back(uuid->second);
  }
  fmt::print(
      stderr,
      "The clock of {} will be {} MHz until this command ends, then free, whatever was set before. Everyone "
      "who uses the GPU is affected. Type yes to go on: ",
      fmt::join(uuids, ", "), mhz);
  std::string answer;
  if (!std::getline(std::cin, answer) || answer != "yes")
    throw UsageError("--lock-clocks was not confirmed; nothing was changed");
  return std::make_unique<ClockLock>(uuids, mhz);
}

}  // namespace perfatlas
