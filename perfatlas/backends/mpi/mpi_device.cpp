// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/mpi_device.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "perfatlas/backends/cpu/core_set.h"
#include "perfatlas/backends/cpu/cpu_facts.h"
#include "perfatlas/backends/mpi/mpi_launcher.h"
#include "perfatlas/backends/mpi/rank_program.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

/// Every operand exists twice: here, and row by row in the ranks.
constexpr double kFrontShare = 0.5;

std::string find_in_path(const char* program) {
  const char* const path = std::getenv("PATH");
  for (const std::string_view folder : split(path ? path : "", ':')) {
    const std::string file = fmt::format("{}/{}", folder, program);
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

/// Ranks that were killed leave their shared memory behind; whose front is dead is removed by the next one.
void remove_leftovers(const fs::path& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();  // see scratch_folder()
    const auto owner = parse_integer(name.substr(0, name.find('-')));
    if (owner && ::kill(pid_t(*owner), 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

MpiDevice::MpiDevice(std::string_view cores, std::vector<std::string> rank_program)
    : cores_(cores.empty() ? allowed_cores() : parse_core_set(cores)),
      rank_program_(std::move(rank_program)),
      mpirun_(find_in_path("mpirun")) {
  require_cores(cores_, allowed_cores());
  if (mpirun_.empty())
    launcher_problem_ = "mpirun is not in PATH: install Open MPI's programs (Debian: openmpi-bin)";
  info_.id = core_set_text(cores_);
  info_.name = cpu_model_name();
  info_.memory_bytes = kFrontShare * memory_limit_bytes().value_or(0);
  info_.llc_bytes = last_level_cache_bytes(cores_).value_or(0);
  info_.versions["openmpi"] = mpi_library_version();
  if (const auto kernel = first_line("/proc/sys/kernel/osrelease")) info_.versions["linux"] = *kernel;
}

MpiDevice::~MpiDevice() {
  end_groups();
  std::error_code ignored;
  if (scratch_.empty()) return;
  fs::remove_all(scratch_, ignored);
  fs::remove(fs::path(scratch_).parent_path(), ignored);  // stays while another front is there
}

/// In memory where there is a file system for it: Open MPI's ranks exchange small messages through files there.
std::string MpiDevice::scratch_folder() {
  if (!scratch_.empty()) return scratch_;
  const fs::path memory = "/dev/shm";
  const fs::path base = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  const fs::path parent = base / fmt::format("perfatlas-mpi-{}", ::geteuid());
  std::error_code error;
  static int count = 0;
  const fs::path own = parent / fmt::format("{}-{}", ::getpid(), ++count);
  fs::create_directories(own, error);
  if (error) throw Error(fmt::format("{}: cannot be created: {}", parent.string(), error.message()));
  remove_leftovers(parent);
  return scratch_ = own.string();
}

void MpiDevice::use_launcher(std::vector<std::string> words) {
  PERFATLAS_ASSERT(!words.empty());
  launcher_ = std::move(words);
  launcher_problem_.clear();
  for (const char* variable : {"SLURM_NTASKS", "PERFATLAS_MPI_RANKS"})
    if (const char* const text = std::getenv(variable); text != nullptr)
      launched_ranks_ = parse_integer(text).value_or(launched_ranks_);
  if (launched_ranks_ < 1)
    launcher_problem_ = "PERFATLAS_MPI_RANKS does not say how many ranks the allocation has room for";
  if (find_in_path(launcher_[0].c_str()).empty())
    launcher_problem_ = launcher_[0] + " is not in PATH, but PERFATLAS_MPI_LAUNCH names it";
}

std::unique_ptr<RankLauncher> MpiDevice::make_launcher(int ranks) {
  MpiLaunch launch{.oversubscribed = ranks > rank_slots(),
                   .mpirun = mpirun_,
                   .launcher = launcher_,
                   .rank_program = rank_program_,
                   .scratch = scratch_folder()};
  launch.rank_program.push_back(info_.id);
  return std::make_unique<MpiLauncher>(std::move(launch));
}

std::string MpiDevice::note_of(int ranks) const {
  if (ranks <= rank_slots() || !launcher_.empty()) return {};
  return fmt::format("{} ranks on {} cores: oversubscribed", ranks, cores_.size());
}

}  // namespace perfatlas
