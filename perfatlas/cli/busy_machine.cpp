// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/busy_machine.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace perfatlas {
namespace {

constexpr double kLeastTime_s = .2;  // of processors: twenty ticks where a hundred make a second

ProcessorTime processor_time() {
  std::ifstream file("/proc/stat");
  std::string line;
  std::getline(file, line);
  return processor_time_of(line, double(::sysconf(_SC_CLK_TCK)));
}

ProcessorTime since(const ProcessorTime& start) {
  const ProcessorTime now = processor_time();
  return {now.busy - start.busy, now.all - start.all};
}

/// Of this process and its children that have ended, in seconds.
double own_time_s() {
  double seconds = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime})
      seconds += double(time.tv_sec) + double(time.tv_usec) / 1e6;
  }
  return seconds;
}

}  // namespace

ProcessorTime processor_time_of(std::string_view stat_line, double ticks_per_s) {
  std::istringstream words{std::string(stat_line)};
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, io_wait = 0, irq = 0, soft_irq = 0, steal = 0;
  words >> label >> user >> nice >> system >> idle >> io_wait >> irq >> soft_irq >> steal;
  if (label != "cpu") return {};
  const double busy = user + nice + system + irq + soft_irq + steal;
  return {busy / ticks_per_s, (busy + idle + io_wait) / ticks_per_s};
}

double others_share(const ProcessorTime& passed, double own_s) {
  return passed.all >= kLeastTime_s ? std::clamp((passed.busy - own_s) / passed.all, 0.0, 1.0) : 0;
}

double busy_share(double seconds) {
  const ProcessorTime start = processor_time();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return others_share(since(start), 0);
}

OtherPrograms::OtherPrograms() : start_(processor_time()), own_s_(own_time_s()) {}

double OtherPrograms::share() const { return others_share(since(start_), own_time_s() - own_s_); }

std::optional<std::string> busy_before(double share) {
  if (share <= kBusyMachine) return std::nullopt;
  return fmt::format(
      "other programs use {:.0f} % of the processors: times will be too long and noisy; end them or measure "
      "later",
      100 * share);
}

std::optional<std::string> busy_meanwhile(double share) {
  if (share <= kBusyMachine) return std::nullopt;
  return fmt::format(
      "other programs used {:.0f} % of the processors meanwhile: take these times with care, or collect "
      "again into "
      "another folder on an idle machine",
      100 * share);
}

}  // namespace perfatlas
