// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_clock_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "perfatlas/base/error.h"
#include "perfatlas/hw/machine_nvml_library.h"

namespace perfatlas {
namespace {

using Device = NvmlLibrary::Device;

/// The names of nvmlReturn_t that such calls give; the library's own text would outlive it.
std::string error_text(int code) {
  switch (code) {
    case 3:
      return "this GPU does not support it";
    case 4:
      return "no permission; clocks are locked by root";
    case 6:
      return "no such GPU";
    case NvmlLibrary::kFunctionNotFound:
      return "this driver is too old";
    default:
      return fmt::format("NVML error {}", code);
  }
}

void release(const NvmlLibrary& nvml, const std::vector<Device>& held) {
  for (const Device device : held) nvml.call("nvmlDeviceResetGpuLockedClocks", device);
  nvml.call("nvmlShutdown");
}

/// What went wrong, or empty: all of `held` are locked. After a failure none is.
std::string lock(const NvmlLibrary& nvml, const std::vector<std::string>& uuids, unsigned mhz,
                 std::vector<Device>& held) {
  if (!nvml || !nvml.call("nvmlInit_v2")) return "NVML, a part of the NVIDIA driver, does not start";
  for (const std::string& uuid : uuids) {
    Device device = nullptr;
    int code = nvml.code("nvmlDeviceGetHandleByUUID", uuid.c_str(), &device);
    if (code == NvmlLibrary::kSuccess) code = nvml.code("nvmlDeviceSetGpuLockedClocks", device, mhz, mhz);
    if (code != NvmlLibrary::kSuccess) {
      release(nvml, held);
      return fmt::format("{}: {}", uuid, error_text(code));
    }
    held.push_back(device);
  }
  return {};
}

/// The life of the process that holds the lock. It hears no signal of a terminal: it outlives its parent to restore.
[[noreturn]] void hold(const std::vector<std::string>& uuids, unsigned mhz, const std::string& library,
                       int alive_fd, int answer_fd) {
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_IGN);
  const NvmlLibrary nvml(library);
  std::vector<Device> held;
  const std::string wrong = lock(nvml, uuids, mhz, held);
  const bool told = ::write(answer_fd, wrong.data(), wrong.size()) == ssize_t(wrong.size());
  ::close(answer_fd);
  char ignored;
  if (told && wrong.empty())
    while (::read(alive_fd, &ignored, 1) < 0 && errno == EINTR) {
    }
  if (wrong.empty()) release(nvml, held);
  ::_exit(0);
}

std::string read_all(int fd) {
  std::string all;
  char buffer[256];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) all.append(buffer, size_t(got));
  return all;
}

}  // namespace

ClockLock::ClockLock(const std::vector<std::string>& uuids, unsigned mhz, const std::string& library) {
  int alive[2], answer[2];
  if (::pipe2(alive, O_CLOEXEC) != 0) throw Error("--lock-clocks: no pipe could be made");
  if (::pipe2(answer, O_CLOEXEC) != 0) {
    ::close(alive[0]), ::close(alive[1]);
    throw Error("--lock-clocks: no pipe could be made");
  }
  holder_ = ::fork();
  if (holder_ == 0) {
    ::close(alive[1]), ::close(answer[0]);
    hold(uuids, mhz, library, alive[0], answer[1]);
  }
  ::close(alive[0]), ::close(answer[1]);
  alive_fd_ = alive[1];
  const std::string wrong = holder_ < 0 ? "no process could be made" : read_all(answer[0]);
  ::close(answer[0]);
  if (wrong.empty()) return;
  ::close(alive_fd_);
  if (holder_ > 0) ::waitpid(holder_, nullptr, 0);
  throw Error("--lock-clocks: " + wrong);
}

ClockLock::~ClockLock() {
  ::close(alive_fd_);
  ::waitpid(holder_, nullptr, 0);
}

}  // namespace perfatlas
