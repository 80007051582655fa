// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/mpi_launcher.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

namespace perfatlas {
namespace {

std::vector<std::string> mpirun_command(const MpiLaunch& launch, int ranks, const std::string& address) {
  // Slots are counted by this back end (more ranks than cores are marked in the rows), and ranks pin themselves: what
  // mpirun thinks of the machine is not asked. No shell on other hosts is needed either.
  std::vector<std::string> command = {launch.mpirun,     "-np",    std::to_string(ranks),
                                      "--oversubscribe", "--host", fmt::format("localhost:{}", ranks),
                                      "--bind-to",       "none"};
  const auto set = [&](const char* parameter, const std::string& value) {
    command.insert(command.end(), {"--mca", parameter, value});
  };
  set("plm", "isolated");
  set("mpi_yield_when_idle", launch.oversubscribed ? "1" : "0");
  set("orte_tmpdir_base", launch.scratch);
  set("btl_vader_backing_directory", launch.scratch);
  command.insert(command.end(), launch.rank_program.begin(), launch.rank_program.end());
  command.push_back(address);
  return command;
}

/// The launcher's words with {ranks} replaced, then the rank program.
std::vector<std::string> launcher_command(const MpiLaunch& launch, int ranks, const std::string& address) {
  std::vector<std::string> command;
  for (std::string word : launch.launcher) {
    if (const size_t at = word.find("{ranks}"); at != word.npos) word.replace(at, 7, std::to_string(ranks));
    command.push_back(std::move(word));
  }
  command.insert(command.end(), launch.rank_program.begin(), launch.rank_program.end());
  command.push_back(address);
  return command;
}

}  // namespace

void MpiLauncher::start(int ranks, const std::string& address) {
  ranks_ = ranks;
  if (::geteuid() == 0) {  // Open MPI wants to be told twice that root means it
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  }
  mpirun_ = ChildProcess::spawn(
      {over_network() ? launcher_command(launch_, ranks, address) : mpirun_command(launch_, ranks, address),
       "/dev/stderr"});
}

std::optional<std::string> MpiLauncher::ended() {
  const auto status = mpirun_->try_wait();
  if (!status) return std::nullopt;
  return fmt::format("{} could not start {} ranks ({})", over_network() ? launch_.launcher[0] : "mpirun",
                     ranks_, status->text());
}

std::string MpiLauncher::wait(std::chrono::milliseconds grace) {
  const ExitStatus status = mpirun_->wait(grace);
  // mpirun reports a rank's signal as 128 + signal, as a shell does.
  if (status.code && *status.code > 128) return signal_name(*status.code - 128);
  return status.text();
}

}  // namespace perfatlas
