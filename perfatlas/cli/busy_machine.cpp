// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/busy_machine.h"

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace perfatlas {
namespace {

struct ProcessorTime {
  double busy = 0, all = 0;  // clock ticks since start, of all processors
};

/// The first line of /proc/stat: "cpu user nice system idle iowait irq softirq steal ...".
ProcessorTime processor_time() {
  std::ifstream file("/proc/stat");
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, io_wait = 0, irq = 0, soft_irq = 0, steal = 0;
  file >> label >> user >> nice >> system >> idle >> io_wait >> irq >> soft_irq >> steal;
  const double busy = user + nice + system + irq + soft_irq + steal;
  return {busy, busy + idle + io_wait};
}

}  // namespace

double busy_share(double seconds) {
  const ProcessorTime before = processor_time();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const ProcessorTime after = processor_time();
  return after.all > before.all ? (after.busy - before.busy) / (after.all - before.all) : 0;
}

}  // namespace perfatlas
